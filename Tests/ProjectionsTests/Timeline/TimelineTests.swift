import LMDB
import Testing

@testable import Broker
@testable import Projections

/// Timelines, case by case.
struct TimelineTests {
    private let alice = Identifier(high: 1, low: 1)
    private let bob = Identifier(high: 1, low: 2)
    private let carol = Identifier(high: 1, low: 3)
    private let room = Identifier(high: 2, low: 1)

    /// The views of a log with `events`, kept by nobody.
    private func project(_ events: [TestEvent]) throws -> (TestLog, Views) {
        let test = try TestLog()
        try test.append(events)
        let views = try test.openViews()
        for view in views.all {
            var projector = try Projector(#require(view.store), log: test.log)
            while try projector.advance(limit: 500) {}
        }
        return (test, views)
    }

    private func offsets(
        _ scope: Timeline.Scope,
        after: Offset = 0,
        includesChanges: Bool = true,
        in views: Views
    ) throws -> [Offset] {
        var timeline = try Timeline(scope, after: after, includesChanges: includesChanges, in: views)
        var found: [Offset] = []
        try timeline.next(.max, into: &found)
        try timeline.next(.max, into: &found)
        return found
    }

    @Test func `each kind of socket gets its own`() throws {
        let direct = StreamID.conversation(alice, bob)
        let (test, views) = try project([
            .roomCreated(room, "r", by: alice),
            .member(.memberAdded, alice, of: room, by: alice),
            .sent("3", from: alice, to: bob),
            .sent("4", from: alice, inRoom: room),
            .sent("5", from: alice, to: alice),
            .sent("6", from: bob, to: carol),
            .read(3, by: bob, from: alice),
            .edited(4, to: "4!", by: alice, in: room),
            .deleted(3, by: alice, in: direct),
            .member(.memberAdded, bob, of: room, by: alice),
        ])
        #expect(try offsets(.conversation(direct), in: views) == [3, 7, 9])
        #expect(try offsets(.conversation(direct), includesChanges: false, in: views) == [3])
        #expect(try offsets(.rooms(alice), in: views) == [2, 4, 8])
        #expect(try offsets(.rooms(alice), includesChanges: false, in: views) == [2, 4])
        #expect(try offsets(.everything(alice), in: views) == [2, 3, 4, 5, 7, 8, 9])
        #expect(try offsets(.everything(bob), in: views) == [3, 6, 7, 9, 10])
        #expect(try offsets(.conversation(.conversation(alice, alice)), in: views) == [5])
        withExtendedLifetime(test) {}
    }

    @Test func `a room's events count between joining and leaving, each time`() throws {
        let (test, views) = try project([
            .member(.memberAdded, bob, of: room, by: alice),  // 1: there is no such room yet
            .roomCreated(room, "r", by: alice),
            .member(.memberAdded, alice, of: room, by: alice),
            .sent("4", from: alice, inRoom: room),
            .member(.memberAdded, bob, of: room, by: alice),
            .sent("6", from: alice, inRoom: room),
            .member(.memberAdded, bob, of: room, by: alice),  // 7: he is in already
            .edited(4, to: "4!", by: alice, in: room),
            .member(.memberRemoved, bob, of: room, by: bob),
            .sent("10", from: alice, inRoom: room),
            .read(10, by: alice, inRoom: room),
            .member(.memberRemoved, bob, of: room, by: bob),  // 12: he is out already
            .member(.memberAdded, bob, of: room, by: alice),
            .member(.memberRemoved, bob, of: room, by: bob),
            .member(.memberAdded, bob, of: room, by: alice),
            .sent("16", from: bob, inRoom: room),
        ])
        let all: [Offset] = [5, 6, 8, 9, 13, 14, 15, 16]
        for after in 0...17 as ClosedRange<Offset> {
            #expect(try offsets(.rooms(bob), after: after, in: views) == all.filter { $0 > after }, "after \(after)")
        }
        #expect(try offsets(.rooms(bob), includesChanges: false, in: views) == all.filter { $0 != 8 })
        withExtendedLifetime(test) {}
    }

    @Test func `nobody, nothing, and the end of the log have no timeline`() throws {
        let (test, views) = try project([.sent("1", from: alice, to: bob), .sent("2", from: bob, to: alice)])
        for scope in [.everything(carol), .rooms(alice), .conversation(room)] as [Timeline.Scope] {
            #expect(try offsets(scope, in: views).isEmpty)
        }
        for after in [2, 3, .max] as [Offset] {
            let timeline = try Timeline(.everything(alice), after: after, includesChanges: true, in: views)
            #expect(timeline.asOf == 2)
            #expect(try offsets(.everything(alice), after: after, in: views).isEmpty)
        }
        var timeline = try Timeline(.everything(alice), after: 0, includesChanges: true, in: views)
        var found: [Offset] = [77]
        try timeline.next(0, into: &found)
        #expect(found == [77])
        try timeline.next(1, into: &found)
        #expect(found == [77, 1])
        try timeline.next(1, into: &found)
        #expect(found == [77, 1, 2])
        try timeline.next(1, into: &found)
        #expect(found == [77, 1, 2])
        withExtendedLifetime(test) {}
    }

    @Test(arguments: [0, 1, 2, 2500, 4998, 4999, 5000] as [Offset])
    func `a long conversation is found from anywhere`(after: Offset) throws {
        let test = try TestLog()
        let (one, other) = (alice, bob)
        try test.append((1...5000).map { .sent("\($0)", from: one, to: other) })
        let views = try test.openViews()
        var projector = try Projector(#require(views.conversations.view.store), log: test.log)
        while try projector.advance(limit: 2000) {}
        var timeline = try Timeline(
            .conversation(.conversation(alice, bob)),
            after: after,
            includesChanges: true,
            in: views
        )
        var found: [Offset] = []
        var count = -1
        while found.count > count {
            count = found.count
            try timeline.next(999, into: &found)
        }
        #expect(found == Array(after..<5000).map { $0 + 1 })
    }

    @Test func `what comes after the timeline was made isn't in it`() throws {
        let (test, views) = try project([.sent("1", from: alice, to: bob), .sent("2", from: bob, to: alice)])
        var timeline = try Timeline(.everything(alice), after: 0, includesChanges: true, in: views)
        try test.append([.sent("3", from: alice, to: bob), .read(3, by: bob, from: alice)])
        var projector = try Projector(#require(views.conversations.view.store), log: test.log)
        while try projector.advance(limit: 10) {}
        var found: [Offset] = []
        try timeline.next(10, into: &found)
        #expect(found == [1, 2])
    }

    @Test func `whoever looks ahead does it as finely as wanted`() throws {
        let peers = (1...10).map { Identifier(high: 3, low: $0) }
        let (test, views) = try project(peers.map { .sent("", from: $0, to: alice) })
        var timeline = try Timeline(.everything(alice), after: 0, includesChanges: true, in: views)
        #expect(try !timeline.prepare(0))
        #expect(try !timeline.prepare(4))
        #expect(try !timeline.prepare(5))
        #expect(try timeline.prepare(1))
        #expect(try timeline.prepare(0))
        var found: [Offset] = []
        try timeline.next(100, into: &found)
        #expect(found == Array(1...10))
        var nothing = try Timeline(.everything(bob), after: 0, includesChanges: true, in: views)
        #expect(try nothing.prepare(0))
        withExtendedLifetime(test) {}
    }

    @Test func `a call that fails leaves the timeline where it was`() throws {
        let events = (1...20).map { TestEvent.sent("\($0)", from: $0 % 2 == 0 ? alice : carol, to: bob) }
        let (test, views) = try project(events)
        let expected = Array(1...20 as ClosedRange<Offset>)
        let store = try #require(views.conversations.view.store)
        var timeline = try Timeline(.everything(bob), after: 0, includesChanges: true, in: views)
        var found: [Offset] = []
        #expect(try !timeline.prepare(1))
        views.conversations.view.fail(PoisonEvent(offset: 21, type: nil, reason: RecordError.truncated))
        #expect(throws: ViewUnavailable.self) { try timeline.prepare(1) }
        #expect(throws: ViewUnavailable.self) { try timeline.next(1, into: &found) }
        #expect(found.isEmpty)
        _ = views.conversations.view.replace(with: store)
        try timeline.next(3, into: &found)
        views.conversations.view.fail(PoisonEvent(offset: 21, type: nil, reason: RecordError.truncated))
        #expect(throws: ViewUnavailable.self) { try timeline.next(3, into: &found) }
        #expect(found == [1, 2, 3])
        _ = views.conversations.view.replace(with: store)
        try timeline.next(.max, into: &found)
        #expect(found == expected)
        withExtendedLifetime(test) {}
    }
}
