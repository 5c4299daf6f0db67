import LMDB
import Synchronization
import Testing

@testable import Broker
@testable import Projections

/// The worker of a view: waiting, failing, stopping.
struct WorkerTests {
    private let alice = Identifier(high: 1, low: 1)
    private let bob = Identifier(high: 1, low: 2)

    @Test func `who waits is called once the view is there, in order, and at once if it is already`() async throws {
        let test = try TestLog()
        let views = try test.openViews()
        try views.start()
        let view = views.conversations.view
        let called = Mutex<[Int]>([])
        view.whenProjected(0) { called.withLock { $0.append(0) } }
        #expect(called.withLock { $0 } == [0])
        view.whenProjected(2) { called.withLock { $0.append(2) } }
        view.whenProjected(1) { called.withLock { $0.append(1) } }
        let cancelled = view.whenProjected(1) { called.withLock { $0.append(99) } }
        cancelled.cancel()
        try test.append([.sent("one", from: alice, to: bob)])
        test.announce(to: views)
        try await views.settle(at: 1)
        #expect(called.withLock { $0 } == [0, 1])
        try test.append([.sent("two", from: alice, to: bob)])
        test.announce(to: views)
        try await views.settle(at: 2)
        #expect(called.withLock { $0 } == [0, 1, 2])
        views.stop()
    }

    @Test func `waiting ends at its deadline, and with its task`() async throws {
        let test = try TestLog()
        let views = try test.openViews()
        try views.start()
        let view = views.users.view
        let error = await #expect(throws: ViewUnavailable.self) {
            try await view.waitUntilProjected(1, deadline: .now + .milliseconds(5))
        }
        guard case .late = error?.reason else {
            Issue.record("not late: \(String(describing: error))")
            return
        }
        let task = Task { try await view.waitUntilProjected(1, deadline: .now + .seconds(600)) }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(!view.isAwaited)
        views.stop()
    }

    @Test func `a stop releases who waits, and reads say that the view is closed`() async throws {
        let test = try TestLog()
        let views = try test.openViews()
        try views.start()
        let view = views.unread.view
        let waiting = Task { try await view.waitUntilProjected(5, deadline: .now + .seconds(600)) }
        try await eventually("nobody waits") { view.isAwaited }
        views.stop()
        await #expect(throws: ViewUnavailable.self) { try await waiting.value }
        #expect(throws: ViewUnavailable.self) { try views.unread.counts(of: alice) }
        let called = Mutex(false)
        view.whenProjected(9) { called.withLock { $0 = true } }
        #expect(called.withLock { $0 })
    }

    @Test func `a poison event stops its view before it, and no other`() async throws {
        let test = try TestLog()
        let views = try test.openViews(options: .init(batchEvents: 100))
        try test.append([.registered(alice, "alice"), .sent("one", from: alice, to: bob)])
        // A registration whose payload is no protobuf.
        try test.append([.registered(bob, "bob")], payloads: [[0x0a, 0xff]])
        try test.append([.sent("two", from: alice, to: bob), .loggedIn(alice)])
        try views.start()
        try await eventually("no failure") { views.users.view.failure != nil }
        try await views.settle(at: 5)
        let poison = try #require(views.users.view.failure as? PoisonEvent)
        #expect(poison.offset == 3)
        #expect(poison.type == .userRegistered)
        #expect(views.failures.map(\.name) == ["users"])
        #expect(views.users.view.projected == 2)
        #expect(try ViewDigest(#require(views.users.view.store)).checkpoint.offset == 2)
        #expect(throws: ViewUnavailable.self) { try views.users.account(alice) }
        #expect(try views.unread.counts(of: bob).direct.map(\.count) == [2])
        await #expect(throws: ViewUnavailable.self) {
            try await views.users.view.waitUntilProjected(5, deadline: .now + .seconds(600))
        }
        views.stop()
    }

    @Test func `a damaged event stops the views that reach it, and a rebuild reports it`() async throws {
        let test = try TestLog()
        var scenario = Scenario(seed: 51)
        try test.append(scenario.events(20))
        try test.damage(at: 11)
        let views = try test.openViews()
        try views.start()
        try await eventually("no failure") { views.all.allSatisfy { $0.failure != nil } }
        #expect(views.failures.count == 4)
        #expect(views.all.allSatisfy { ($0.failure as? PoisonEvent)?.offset == 11 && $0.projected == 10 })
        #expect(throws: PoisonEvent.self) { try views.rebuild(RoomsProjection.self) }
        views.stop()
    }

    @Test func `a view without room goes on when there is some`() async throws {
        let test = try TestLog()
        var scenario = Scenario(seed: 52)
        try test.append(scenario.events(4000))
        // All in one transaction: after several, there may be no room left to take the filler away.
        let views = try test.openViews(options: .init(batchEvents: 4000), mapBytes: 8 << 20)
        let view = views.conversations.view
        let environment = try #require(view.store).environment
        let filler: [UInt8] = [0]
        // What else takes the room; 300 KiB are left.
        try environment.write { transaction in
            let metadata = try transaction.openTable("metadata")
            let bytes = [UInt8](repeating: 1, count: (8 << 20) - (300 << 10))
            try transaction.put(bytes.span, for: filler.span, in: metadata)
        }
        try views.start()
        try await eventually("never without room") { view.isStalled }
        #expect(view.failure == nil)
        #expect(views.stalled.contains("conversations"))
        #expect(view.projected == 0)
        // Queries answer meanwhile.
        #expect(try views.conversations.snapshot(of: .none, reader: alice, peer: nil).asOf == view.projected)
        // LMDB uses pages again from the next commit but one.
        for _ in 0..<2 {
            try environment.write { transaction in
                let metadata = try transaction.openTable("metadata")
                try transaction.put(filler.span, for: filler.span, in: metadata)
            }
        }
        try await views.settle(at: 4000)
        #expect(views.stalled.isEmpty)
        #expect(try views.verify(ConversationsProjection.self, scratch: test.folder("scratch")).isIdentical)
        views.stop()
    }

    @Test func `a lingering worker is hurried by who waits`() async throws {
        let test = try TestLog()
        // Without the hurry this would take an hour for each message.
        let views = try test.openViews(options: .init(lingerMilliseconds: 3_600_000))
        try views.start()
        for offset in 1...20 as ClosedRange<Offset> {
            try test.append([.sent("\(offset)", from: alice, to: bob)])
            test.announce(to: views)
            try await views.settle(at: offset)
        }
        views.stop()
    }

    @Test func `a lingering worker goes on when there is a batch, and takes in the rest when it stops`() async throws {
        let test = try TestLog()
        let views = try test.openViews(options: .init(batchEvents: 10, lingerMilliseconds: 3_600_000))
        try views.start()
        for _ in 0..<10 {
            try test.append([.sent("", from: alice, to: bob)])
            test.announce(to: views)
        }
        try await eventually("a batch lies about") { views.all.allSatisfy { $0.projected == 10 } }
        try test.append([.sent("", from: alice, to: bob)])
        test.announce(to: views)
        views.stop()
        #expect(views.all.allSatisfy { $0.projected == 11 })
    }

    @Test func `a lingering worker takes in at once what others read without waiting`() async throws {
        let test = try TestLog()
        let views = try test.openViews(options: .init(lingerMilliseconds: 3_600_000))
        try views.start()
        let room = RoomID.random()
        try test.append([.sent("", from: alice, to: bob)])
        test.announce(to: views)
        // It lingers over the message, or sleeps still, or is on its way: in each case it goes on.
        try test.append([.sent("", from: alice, to: bob), .roomCreated(room, "plans", by: alice)])
        test.announce(to: views)
        try await eventually("the room is there") { views.rooms.view.projected == 3 }
        #expect(try views.rooms.room(room).value?.memberCount == 0)
        try test.append([.member(.memberAdded, alice, of: room, by: alice)])
        test.announce(to: views)
        try await eventually("a member is there") { views.rooms.view.projected == 4 }
        #expect(try views.rooms.room(room).value?.memberCount == 1)
        #expect(views.conversations.view.projected == 0)
        views.stop()
    }
}
