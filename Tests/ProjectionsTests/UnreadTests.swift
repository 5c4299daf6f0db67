import Testing

@testable import Broker
@testable import Projections

/// Unread counts and the numbers that explain them, case by case.
struct UnreadTests {
    private let alice = Identifier(high: 1, low: 1)
    private let bob = Identifier(high: 1, low: 2)
    private let carol = Identifier(high: 1, low: 3)
    private let room = Identifier(high: 2, low: 1)

    private func explain(
        _ account: AccountID,
        in stream: StreamID,
        after events: [TestEvent]
    ) throws -> UnreadView.Explanation? {
        let test = try TestLog()
        try test.append(events)
        let views = try test.openViews()
        var projector = try Projector(#require(views.unread.view.store), log: test.log)
        while try projector.advance(limit: 2) {}
        return try views.unread.count(of: account, in: stream).value
    }

    @Test func `what the other wrote is unread, what oneself wrote isn't`() throws {
        let stream = StreamID.conversation(alice, bob)
        let events: [TestEvent] = [
            .sent("1", from: alice, to: bob), .sent("2", from: bob, to: alice), .sent("3", from: alice, to: bob),
        ]
        let forBob = try #require(try explain(bob, in: stream, after: events))
        #expect(forBob.head == 3 && forBob.mark == 0 && forBob.ownAtHead == 1 && forBob.ownAtMark == 0)
        #expect(forBob.count == 2)
        #expect(try explain(alice, in: stream, after: events)?.count == 1)
        #expect(try explain(carol, in: stream, after: events) == nil)
    }

    @Test func `messages to oneself are never unread`() throws {
        let stream = StreamID.conversation(alice, alice)
        let events: [TestEvent] = [.sent("1", from: alice, to: alice), .sent("2", from: alice, to: alice)]
        #expect(try explain(alice, in: stream, after: events)?.count == 0)
        #expect(try explain(alice, in: stream, after: events + [.read(1, by: alice, from: alice)])?.count == 0)
    }

    @Test(arguments: [(0, 2), (1, 2), (2, 1), (3, 1), (4, 1), (5, 0), (99, 0)] as [(Offset, UInt64)])
    func `a mark counts up to the last message at or before it`(upTo: Offset, left: UInt64) throws {
        let stream = StreamID.conversation(alice, bob)
        let events: [TestEvent] = [
            .loggedIn(alice), .sent("2", from: alice, to: bob), .sent("3", from: bob, to: alice), .loggedIn(bob),
            .sent("5", from: alice, to: bob), .read(upTo, by: bob, from: alice),
        ]
        #expect(try explain(bob, in: stream, after: events)?.count == left)
    }

    @Test func `marks twice and out of order change nothing`() throws {
        let stream = StreamID.conversation(alice, bob)
        let sent = (1...5).map { TestEvent.sent("\($0)", from: alice, to: bob) }
        let once = try explain(bob, in: stream, after: sent + [.read(4, by: bob, from: alice)])
        #expect(once?.count == 1)
        let again: [TestEvent] = [
            .read(4, by: bob, from: alice), .read(4, by: bob, from: alice), .read(2, by: bob, from: alice),
        ]
        #expect(try explain(bob, in: stream, after: sent + again) == once)
    }

    @Test func `only what others deleted above the mark is taken off, and once`() throws {
        let stream = StreamID.conversation(alice, bob)
        let sent: [TestEvent] = [
            .sent("1", from: alice, to: bob), .sent("2", from: alice, to: bob), .sent("3", from: bob, to: alice),
            .sent("4", from: alice, to: bob), .read(1, by: bob, from: alice),
        ]
        let deleted: [TestEvent] = [
            .deleted(1, by: alice, in: stream), .deleted(3, by: bob, in: stream), .deleted(4, by: alice, in: stream),
            .deleted(4, by: alice, in: stream), .deleted(77, by: alice, in: stream),
        ]
        let explanation = try #require(try explain(bob, in: stream, after: sent + deleted))
        #expect(explanation.deletedOfOthers == 1)
        #expect(explanation.count == 1)
    }

    @Test func `an edit, and a deletion of what is not there or elsewhere, change nothing`() throws {
        let stream = StreamID.conversation(alice, bob)
        let other = StreamID.conversation(alice, carol)
        let sent: [TestEvent] = [
            .sent("1", from: alice, to: bob), .sent("2", from: alice, to: carol), .sent("3", from: alice, to: bob),
            .read(1, by: bob, from: alice), .sent("5", from: alice, to: bob), .sent("6", from: bob, to: alice),
        ]
        let before = try #require(try explain(bob, in: stream, after: sent))
        let elsewhere = try #require(try explain(carol, in: other, after: sent))
        #expect(before.count == 2 && elsewhere.count == 1)
        let changes: [TestEvent] = [
            .edited(3, to: "again", by: alice, in: stream), .edited(99, to: "nothing", by: alice, in: stream),
            // A message of the other conversation, a mark, what is yet to come, nothing at all.
            .deleted(2, by: alice, in: stream), .deleted(4, by: alice, in: stream),
            .deleted(99, by: alice, in: stream), .deleted(0, by: alice, in: stream), .deleted(3, by: alice, in: other),
        ]
        for count in 1...changes.count {
            #expect(try explain(bob, in: stream, after: sent + changes.prefix(count)) == before)
            #expect(try explain(carol, in: other, after: sent + changes.prefix(count)) == elsewhere)
        }
        let deleted = try explain(bob, in: stream, after: sent + changes + [.deleted(5, by: alice, in: stream)])
        #expect(deleted?.deletedOfOthers == 1)
        #expect(deleted?.count == 1)
    }

    @Test func `a room counts from joining, not while away, and from coming back`() throws {
        var events: [TestEvent] = [
            .roomCreated(room, "r", by: alice), .member(.memberAdded, alice, of: room, by: alice),
            .sent("before", from: alice, inRoom: room), .member(.memberAdded, bob, of: room, by: alice),
        ]
        #expect(try explain(bob, in: room, after: events)?.count == 0)
        events += [.sent("unread", from: alice, inRoom: room), .sent("own", from: bob, inRoom: room)]
        #expect(try explain(bob, in: room, after: events)?.count == 1)
        events += [.member(.memberRemoved, bob, of: room, by: bob), .sent("away", from: alice, inRoom: room)]
        let away = try #require(try explain(bob, in: room, after: events))
        #expect(!away.isActive && away.count == 0)
        events += [.member(.memberAdded, bob, of: room, by: alice)]
        #expect(try explain(bob, in: room, after: events)?.count == 0)
        events += [.sent("back", from: alice, inRoom: room), .member(.memberAdded, bob, of: room, by: alice)]
        #expect(try explain(bob, in: room, after: events)?.count == 1)
        #expect(try explain(alice, in: room, after: events)?.count == 1)
    }

    @Test func `a message in a room writes no row for each member`() throws {
        let test = try TestLog()
        let members = (1...50).map { Identifier(high: 3, low: $0) }
        try test.append(
            [.roomCreated(room, "r", by: members[0])]
                + members.map { .member(.memberAdded, $0, of: room, by: members[0]) }
        )
        let views = try test.openViews()
        let store = try #require(views.unread.view.store)
        var projector = try Projector(store, log: test.log)
        while try projector.advance(limit: 1000) {}
        let before = try ViewDigest(store).rows
        try test.append([.sent("hello", from: members[7], inRoom: room)])
        while try projector.advance(limit: 1000) {}
        // The message, the head, and the sender's own index.
        #expect(try ViewDigest(store).rows == before + 3)
        #expect(try members.filter { try views.unread.counts(of: $0).rooms.map(\.count) == [1] }.count == 49)
    }
}
