import Broker
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
