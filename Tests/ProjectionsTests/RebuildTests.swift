import Foundation
import LMDB
import Synchronization
import Testing

@testable import Broker
@testable import Projections

/// Rebuilding beside a view in use.
struct RebuildTests {
    private final class Run: Sendable {
        let isOver = Atomic(false)
        let queries = Atomic(0)
    }

    /// ```
    /// log, worker             rebuild                   queries (two threads)
    /// append, commit, …       build, catch up, switch   counts, messages
    /// append, commit, …       …                         never fail, never go back
    /// ```
    @Test(arguments: [71, 72] as [UInt64])
    func `no query fails or goes back while all views are rebuilt under load`(seed: UInt64) async throws {
        print("seed \(seed)")
        let test = try TestLog()
        var scenario = Scenario(seed: seed)
        try test.append(scenario.events(3000))
        let views = try test.openViews(options: .init(batchEvents: 64))
        try views.start()
        try await views.settle(at: 3000)
        let account = scenario.accounts[0]
        let stream = StreamID.conversation(account, scenario.accounts[1])
        let run = Run()
        try await withThrowingTaskGroup { group in
            for _ in 0..<2 {
                group.addTask {
                    var lastUnread: Offset = 0
                    var lastHistory: Offset = 0
                    var lastRooms: Offset = 0
                    while !run.isOver.load(ordering: .relaxed) {
                        let unread = try views.unread.counts(of: account).asOf
                        let history = try views.conversations.forEachMessage(
                            in: stream,
                            from: 1,
                            newestFirst: false,
                            limit: .max
                        ) { $0.offset > 0 }
                        let rooms = try views.rooms.rooms(of: account).asOf
                        #expect(unread >= lastUnread && history >= lastHistory && rooms >= lastRooms)
                        #expect(try views.users.account(account).value != nil)
                        (lastUnread, lastHistory, lastRooms) = (unread, history, rooms)
                        run.queries.add(1, ordering: .relaxed)
                        await Task.yield()
                    }
                }
            }
            group.addTask {
                defer { run.isOver.store(true, ordering: .relaxed) }
                for _ in 0..<3 { try views.rebuild(Views.projections) }
            }
            while !run.isOver.load(ordering: .relaxed) {
                try test.append(scenario.events(20))
                test.announce(to: views)
                await Task.yield()
            }
            try await group.waitForAll()
        }
        #expect(run.queries.load(ordering: .relaxed) > 0)
        let head = test.log.head
        try await views.settle(at: head)
        for projection in Views.projections {
            let verification = try views.verify(projection, scratch: test.folder("scratch"))
            #expect(verification.isIdentical)
            #expect(verification.live.checkpoint.offset == head)
        }
        views.stop()
        // What is on disk is the new view, and it goes on.
        let again = try test.openViews()
        #expect(again.openings.allSatisfy { $0.opening == .continued })
        #expect(again.all.allSatisfy { $0.projected == head })
        again.stop()
    }

    @Test func `a read in progress goes on with the view that it began with`() async throws {
        let test = try TestLog()
        var scenario = Scenario(seed: 73)
        try test.append(scenario.events(500))
        let views = try test.openViews()
        try views.start()
        try await views.settle(at: 500)
        let old = try #require(views.rooms.view.store?.environment.path)
        let retired = try views.rooms.view.read { transaction, tables, asOf in
            let before = try transaction.count(of: tables[0])
            try views.rebuild(RoomsProjection.self)
            #expect(try transaction.count(of: tables[0]) == before)
            #expect(asOf == 500)
            #expect(views.rooms.view.store?.environment.path == old)
            return old + ".retired-1"
        }
        try await eventually("the old view is still there") { !FileManager.default.fileExists(atPath: retired) }
        views.stop()
    }

    @Test func `a view that is behind is brought to where the live one is before it is shown`() async throws {
        let test = try TestLog()
        var scenario = Scenario(seed: 78)
        try test.append(scenario.events(100))
        // Whoever doesn't wait sees what the switch itself has done: the worker would rest for an hour first.
        let views = try test.openViews(options: .init(lingerMilliseconds: 3_600_000))
        try views.start()
        try await views.settle(at: 100)
        let folder = test.viewFolder()
        let store = try folder.create(
            UnreadProjection.self,
            in: folder.rebuildDirectory(of: UnreadProjection.self),
            log: test.log
        )
        var projector = try Projector(store, log: test.log)
        while try projector.advance(limit: 10, upTo: 50) {}
        let worker = try #require(views.workers.first { $0.view.projection == UnreadProjection.self })
        try worker.adopt(store)
        #expect(views.unread.view.projected == 100)
        #expect(try views.unread.counts(of: scenario.accounts[0]).asOf == 100)
        views.stop()
    }

    @Test func `a second rebuild of a view has to wait for the first`() async throws {
        let test = try TestLog()
        var scenario = Scenario(seed: 74)
        try test.append(scenario.events(100))
        let views = try test.openViews()
        try views.start()
        #expect(throws: Rebuild.InProgress.self) {
            try views.rebuild(UsersProjection.self) { _ in try views.rebuild(UsersProjection.self) }
        }
        try views.rebuild(UsersProjection.self)
        views.stop()
        #expect(throws: (any Error).self) { try views.rebuild(UsersProjection.self) }
    }

    @Test func `a view that failed works again after a rebuild`() async throws {
        let test = try TestLog()
        var scenario = Scenario(seed: 75)
        try test.append(scenario.events(100))
        let views = try test.openViews()
        try views.start()
        try await views.settle(at: 100)
        views.conversations.view.fail(PoisonEvent(offset: 101, type: nil, reason: RecordError.truncated))
        #expect(throws: ViewUnavailable.self) { try views.conversations.state(of: .none) }
        try views.rebuild(ConversationsProjection.self)
        #expect(views.failures.isEmpty)
        try test.append(scenario.events(10))
        test.announce(to: views)
        try await views.settle(at: 110)
        #expect(try views.conversations.state(of: .none).asOf == 110)
        views.stop()
    }

    @Test func `a rebuild without a server puts the new view in the place of the old one`() async throws {
        let test = try TestLog()
        var scenario = Scenario(seed: 76)
        try test.append(scenario.events(200))
        let folder = test.viewFolder()
        for _ in 0..<2 {
            #expect(try Rebuild.replace(UnreadProjection.self, in: folder, from: test.log).offset == 200)
            let left = try FileManager.default.contentsOfDirectory(atPath: test.data + "/views")
            #expect(left == ["unread-v\(UnreadProjection.version)"])
        }
        let (store, opening) = try folder.open(UnreadProjection.self, log: test.log)
        #expect(opening == .continued)
        #expect(try store.checkpoint().offset == 200)
    }

    @Test func `a comparison names the first row that differs, and how`() throws {
        let test = try TestLog()
        var scenario = Scenario(seed: 77)
        try test.append(scenario.events(200))
        let folder = test.viewFolder()
        try Rebuild.build(RoomsProjection.self, from: test.log, into: folder.directory(of: RoomsProjection.self))
        let scratch = test.folder("scratch")
        func verify() throws -> Verification {
            try Verification(
                of: RoomsProjection.self,
                in: folder.directory(of: RoomsProjection.self),
                log: test.log,
                scratch: scratch
            )
        }
        #expect(try verify().isIdentical)

        let key: [UInt8] = [1]
        func change(_ body: (inout WriteTransaction, [Table]) throws -> Void) throws {
            let (store, _) = try folder.open(RoomsProjection.self, log: test.log)
            try store.environment.write { try body(&$0, store.tables) }
        }
        try change { try $0.put(key.span, for: key.span, in: $1[2]) }
        var found = try #require(try verify().difference)
        #expect(found == ViewDifference(table: "seniority", key: "01", kind: .onlyInFirst))
        #expect(found.description == "table seniority, key 01: the row is in the live view only")

        var member: [UInt8] = []
        try change { transaction, tables in
            try transaction.scan(tables[1]) { key, _ in
                member = [UInt8](copying: key)
                return false
            }
            try transaction.remove(member.span, from: tables[1])
        }
        found = try #require(try verify().difference)
        #expect(found == ViewDifference(table: "members", key: Hexadecimal.text(member.span), kind: .onlyInSecond))

        var room: [UInt8] = []
        try change { transaction, tables in
            var value: [UInt8] = []
            try transaction.scan(tables[0]) { key, found in
                room = [UInt8](copying: key)
                value = [UInt8](copying: found)
                return false
            }
            value[17] ^= 4
            try transaction.put(value.span, for: room.span, in: tables[0])
        }
        let last = try verify()
        #expect(
            last.difference == ViewDifference(table: "rooms", key: Hexadecimal.text(room.span), kind: .value(at: 17))
        )
        #expect(!last.isIdentical)
        #expect(last.live.digest != last.replayed.digest)
        #expect(!last.live.damage.isEmpty)
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch).isEmpty)
    }
}
