import LMDB
import Testing

@testable import Broker
@testable import Projections

/// What a redaction leaves of messages, rooms and accounts, case by case.
///
/// Each case is looked at in a view that has followed the log and in one that was built from what is left of it, and
/// the two must be the same byte for byte.
struct RedactionTests {
    private let alice = Identifier(high: 1, low: 1)
    private let bob = Identifier(high: 1, low: 2)
    private let room = Identifier(high: 2, low: 1)

    /// A row as its reader sees it.
    private struct Shown: Equatable {
        var text: String
        var isRedacted = false
        var isDeleted = false
        var editOffset: Offset = 0
    }

    /// Plays `steps`, each in a batch of its own, or all in one.
    private func play(_ steps: [TestEvent], inOneBatch: Bool, _ body: (Views) throws -> Void) throws {
        let test = try TestLog()
        let views = try test.openViews()
        for steps in inOneBatch ? [steps] : steps.map({ [$0] }) {
            try test.append(steps)
            for view in views.all {
                var projector = try Projector(#require(view.store), log: test.log)
                while try projector.advance(limit: 500) {}
            }
        }
        for view in views.all {
            let store = try #require(view.store)
            let directory = test.folder("replayed-\(view.name)")
            try Rebuild.build(view.projection, from: test.log, into: directory)
            let replayed = try ViewStore(view.projection, readOnlyDirectory: directory)
            #expect(try ViewDifference.first(between: store, and: replayed) == nil)
            #expect(try ViewDigest(store).damage.isEmpty)
        }
        try body(views)
    }

    private func shown(_ steps: [TestEvent], inOneBatch: Bool) throws -> [Shown] {
        var rows: [Shown] = []
        try play(steps, inOneBatch: inOneBatch) { (views: Views) throws in
            let stream = StreamID.conversation(alice, bob)
            try views.conversations.forEachMessage(in: stream, from: 1, newestFirst: false, limit: 100) { row in
                rows.append(
                    Shown(
                        text: try unescape(row.contentJSON),
                        isRedacted: row.isRedacted,
                        isDeleted: row.isDeleted,
                        editOffset: row.editOffset
                    )
                )
                return true
            }
        }
        return rows
    }

    private var sent: TestEvent { .sent("secret", from: alice, to: bob, id: "m") }

    private func edited(_ text: String) -> TestEvent { .edited(1, to: text, by: alice, in: .conversation(alice, bob)) }

    private var deleted: TestEvent { .deleted(1, by: alice, in: .conversation(alice, bob)) }

    /// The redaction of an event of the conversation.
    private func redacted(_ offset: Offset) -> TestEvent { .redacted(offset, sent) }

    @Test(arguments: [false, true]) func `a redacted message is there without its content`(inOneBatch: Bool) throws {
        let other = TestEvent.sent("other", from: bob, to: alice)
        #expect(
            try shown([sent, other, redacted(1)], inOneBatch: inOneBatch) == [
                Shown(text: "", isRedacted: true), Shown(text: "other"),
            ]
        )
    }

    @Test(arguments: [false, true]) func `a redacted message shows nothing that it was edited to`(
        inOneBatch: Bool
    ) throws {
        let gone = Shown(text: "", isRedacted: true, editOffset: 2)
        #expect(try shown([sent, edited("two"), redacted(1)], inOneBatch: inOneBatch) == [gone])
        #expect(try shown([sent, edited("two"), redacted(1), redacted(2)], inOneBatch: inOneBatch) == [gone])
        #expect(try shown([sent, edited("two"), redacted(2), redacted(1)], inOneBatch: inOneBatch) == [gone])
    }

    @Test(arguments: [false, true]) func `a redacted edit takes away what it showed, and a later one shows again`(
        inOneBatch: Bool
    ) throws {
        #expect(
            try shown([sent, edited("two"), redacted(2)], inOneBatch: inOneBatch) == [
                Shown(text: "", isRedacted: true, editOffset: 2)
            ]
        )
        #expect(
            try shown([sent, edited("two"), redacted(2), edited("four")], inOneBatch: inOneBatch) == [
                Shown(text: "four", editOffset: 4)
            ]
        )
        // One that is shown nowhere any more takes nothing away.
        #expect(
            try shown([sent, edited("two"), edited("three"), redacted(2)], inOneBatch: inOneBatch) == [
                Shown(text: "three", editOffset: 3)
            ]
        )
    }

    @Test(arguments: [false, true]) func `what is deleted stays so`(inOneBatch: Bool) throws {
        #expect(
            try shown([sent, deleted, redacted(1)], inOneBatch: inOneBatch) == [
                Shown(text: "", isRedacted: true, isDeleted: true)
            ]
        )
        #expect(
            try shown([sent, redacted(1), deleted], inOneBatch: inOneBatch) == [
                Shown(text: "", isRedacted: true, isDeleted: true)
            ]
        )
        #expect(
            try shown([sent, edited("two"), deleted, redacted(2)], inOneBatch: inOneBatch) == [
                Shown(text: "", isRedacted: true, isDeleted: true, editOffset: 2)
            ]
        )
    }

    @Test(arguments: [false, true]) func `a redaction of what is no message changes none, and nobody is told`(
        inOneBatch: Bool
    ) throws {
        let created = TestEvent.roomCreated(room, "plans", by: alice)
        let joined = TestEvent.member(.memberAdded, alice, of: room, by: alice)
        let message = TestEvent.sent("x", from: alice, inRoom: room)
        try play([created, joined, message, .redacted(1, created)], inOneBatch: inOneBatch) { (views: Views) throws in
            var timeline = try Timeline(.everything(alice), after: 0, includesChanges: true, in: views)
            var offsets: [Offset] = []
            try timeline.next(10, into: &offsets)
            #expect(offsets == [2, 3])
            try views.conversations.forEachMessage(in: room, from: 1, newestFirst: false, limit: 10) { row in
                let text = try unescape(row.contentJSON)
                #expect(text == "x")
                return true
            }
        }
    }

    @Test(arguments: [false, true]) func `whoever follows the conversation is told of a redaction`(
        inOneBatch: Bool
    ) throws {
        let steps = [sent, edited("two"), redacted(2), redacted(1)]
        try play(steps, inOneBatch: inOneBatch) { (views: Views) throws in
            for (includesChanges, expected) in [(true, [1, 2, 3, 4]), (false, [1])] as [(Bool, [Offset])] {
                var timeline = try Timeline(
                    .everything(bob),
                    after: 0,
                    includesChanges: includesChanges,
                    in: views
                )
                var offsets: [Offset] = []
                try timeline.next(10, into: &offsets)
                #expect(offsets == expected)
            }
        }
    }

    @Test(arguments: [false, true]) func `the hash of the message's own id is gone with it`(inOneBatch: Bool) throws {
        let hash = Identifier(hashingMessageID: Array("m".utf8).span)
        try play([sent, redacted(1)], inOneBatch: inOneBatch) { (views: Views) throws in
            #expect(try views.message(withID: hash, from: alice).value == nil)
        }
        try play([sent, redacted(1), sent], inOneBatch: inOneBatch) { (views: Views) throws in
            #expect(try views.message(withID: hash, from: alice).value == 3)
        }
    }

    @Test(arguments: [false, true]) func `a redacted message counts as unread as before`(inOneBatch: Bool) throws {
        try play([sent, redacted(1)], inOneBatch: inOneBatch) { (views: Views) throws in
            #expect(try views.unread.counts(of: bob).direct.map(\.count) == [1])
        }
    }

    @Test(arguments: [false, true]) func `a room whose creation is redacted has no name, and all else`(
        inOneBatch: Bool
    ) throws {
        let created = TestEvent.roomCreated(room, "plans", by: alice)
        let joined = TestEvent.member(.memberAdded, alice, of: room, by: alice)
        let message = TestEvent.sent("x", from: alice, inRoom: room)
        try play([created, joined, message, .redacted(3, message)], inOneBatch: inOneBatch) { (views: Views) throws in
            #expect(try views.rooms.room(room).value?.name == "plans")
        }
        try play([created, joined, .redacted(1, created)], inOneBatch: inOneBatch) { (views: Views) throws in
            let found = try #require(try views.rooms.room(room).value)
            #expect(found == Room(id: room, name: "", owner: alice, memberCount: 1, createdOffset: 1))
        }
    }

    @Test(arguments: [false, true]) func `an erased account keeps its place and loses its name, which another may take`(
        inOneBatch: Bool
    ) throws {
        let registered = TestEvent.registered(alice, "alice")
        let steps = [registered, .loggedIn(alice), .erased(alice)]
        let name = try AccountName("alice")
        // With the registration still in the log, and without; each time nothing is left of it in the view.
        for redactions in [[], [.redacted(1, registered)]] as [[TestEvent]] {
            let again = TestEvent.guest(bob, "alice")
            for (events, owner) in [(steps + redactions, nil), (steps + [again] + redactions, bob)] {
                try play(events, inOneBatch: inOneBatch) { (views: Views) throws in
                    let account = try #require(try views.users.account(alice).value)
                    #expect(account.name.utf8.isEmpty)
                    #expect(account.username.isEmpty)
                    #expect(account.email.isEmpty)
                    #expect(account.passwordHash == nil)
                    #expect(!account.isGuest)
                    #expect(account.lastLoginMilliseconds == TestLog.milliseconds(of: 2))
                    #expect(try views.users.name(of: alice) == nil)
                    #expect(try views.users.account(named: name).value?.id == owner)
                    #expect(try views.users.erasedAccounts().value == [alice])
                }
            }
        }
    }
}
