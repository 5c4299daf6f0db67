import Broker
import Synchronization
import Testing

@testable import Server

/// Who counts as online: somebody with at least one socket that receives what is sent.
@Suite struct PresenceTests {
    private let presence = Presence()
    private let ann = AccountID(high: 0, low: 1)
    private let bob = AccountID(high: 0, low: 2)
    private let room = RoomID(high: 9, low: 9)

    @Test func `a conversation socket of the peer receives, one with somebody else does not`() {
        let toBob = Command.Conversation(me: ann, peer: bob)
        presence.enter(Command.Conversation(me: bob, peer: AccountID(high: 0, low: 3)))
        #expect(!presence.isReceiving(toBob))
        presence.enter(Command.Conversation(me: bob, peer: ann))
        #expect(presence.isReceiving(toBob))
        presence.leave(Command.Conversation(me: bob, peer: ann))
        #expect(!presence.isReceiving(toBob))
    }

    @Test func `a session socket receives everything of its user, until the last is closed`() {
        presence.enterSession(bob)
        presence.enterSession(bob)
        presence.leaveSession(bob)
        #expect(presence.isReceiving(Command.Conversation(me: ann, peer: bob)))
        presence.leaveSession(bob)
        #expect(!presence.isReceiving(Command.Conversation(me: ann, peer: bob)))
    }

    @Test func `a room counts accounts, not sockets, and the sender is not its own receiver`() {
        presence.enter(room, ann)
        presence.enter(room, ann)
        #expect(presence.onlineCount(in: room) == 1)
        #expect(!presence.isReceiving(Command.Conversation(me: ann, room: room)))
        presence.enter(room, bob)
        #expect(presence.onlineCount(in: room) == 2)
        #expect(presence.isReceiving(Command.Conversation(me: ann, room: room)))
        presence.leave(room, bob)
        presence.leave(room, ann)
        #expect(presence.onlineCount(in: room) == 1)
    }
}

/// Who watches is told when somebody comes who wasn't there, or goes for good, and only then.
@Suite struct PresenceWatchTests {
    private let ann = AccountID(high: 0, low: 1)
    private let bob = AccountID(high: 0, low: 2)
    private let room = RoomID(high: 5, low: 5)

    private final class Told: Sendable {
        private let changes = Mutex<[String]>([])
        func add(_ loop: Int, _ subject: Presence.Subject) { changes.withLock { $0.append("\(loop)") } }
        func take() -> [String] {
            changes.withLock { changes in
                defer { changes = [] }; return changes
            }
        }
    }

    private func presence() -> (Presence, Told) {
        let told = Told()
        return (Presence { told.add($0, $1) }, told)
    }

    @Test func `only the first socket and the last are changes`() {
        let (presence, told) = presence()
        presence.watch(.stream(room), on: 3)
        presence.enter(room, ann)
        #expect(told.take() == ["3"])
        presence.enter(room, ann)
        presence.leave(room, ann)
        #expect(told.take() == [])
        presence.leave(room, ann)
        #expect(told.take() == ["3"])
    }

    @Test func `a direct conversation is watched by its sockets and both sides' sessions`() {
        let conversation = Command.Conversation(me: ann, peer: bob)
        let (presence, told) = presence()
        for subject in Presence.Subject.all(of: conversation) { presence.watch(subject, on: 1) }
        presence.enterSession(bob)
        presence.enter(conversation.mirrored)
        presence.enterSession(AccountID(high: 0, low: 9))
        #expect(told.take() == ["1", "1"])
        #expect(presence.online(in: conversation) == [bob])
        presence.enter(conversation)
        #expect(Set(presence.online(in: conversation)) == [ann, bob])
    }

    @Test func `who no longer watches isn't told`() {
        let (presence, told) = presence()
        presence.watch(.account(ann), on: 0)
        presence.watch(.account(ann), on: 1)
        presence.unwatch(.account(ann), on: 0)
        presence.enterSession(ann)
        #expect(told.take() == ["1"])
        presence.unwatch(.account(ann), on: 1)
        presence.leaveSession(ann)
        #expect(told.take() == [])
    }

    @Test func `a conversation with oneself has one who can be there`() {
        let (presence, _) = presence()
        presence.enterSession(ann)
        #expect(presence.online(in: Command.Conversation(me: ann, peer: ann)) == [ann])
    }
}
