import Cryptography
import Dispatch
import Foundation
import LMDB
import Synchronization
import Testing

@testable import Broker
@testable import Projections

/// One reading of the log by several views.
struct SharedReadingTests {
    private static let views: [any Projection.Type] = [ConversationsProjection.self, UnreadProjection.self]
    /// The most events by which a reader may be ahead: the window, and what either works on.
    private static let mostAhead: Offset = 34 * 1024

    private func log(_ count: Int) throws -> TestLog {
        let test = try TestLog()
        let (alice, bob) = (Identifier(high: 1, low: 1), Identifier(high: 1, low: 2))
        try test.append((1...count).map { TestEvent.sent("\($0)", from: alice, to: bob) })
        return test
    }

    /// Reads on by one call.
    private func step(_ reader: inout SharedReading.Reader, after offset: Offset) throws -> Offset {
        var expected = offset
        let reached = try reader.read(after: offset, upTo: .max, of: .all, with: SHA256()) { record in
            expected += 1
            #expect(record.offset == expected)
            return true
        }
        #expect(reached == expected)
        return reached
    }

    /// | one | other |
    /// | --- | --- |
    /// | reads on as far as it may | |
    /// | waits | reads a chunk, and so on |
    @Test func `who is ahead waits for the last one, and both read everything`() async throws {
        let count: Offset = 60_000
        let test = try log(Int(count))
        let reading = SharedReading(test.log, for: Self.views)
        let ahead = Atomic<Offset>(0)
        let done = DispatchGroup()
        DispatchQueue(label: "ahead").async(group: done) {
            var reader = reading.reader(0)
            var reached: Offset = 0
            do {
                while reached < count {
                    reached = try step(&reader, after: reached)
                    ahead.store(reached, ordering: .sequentiallyConsistent)
                }
            } catch { Issue.record(error) }
            reader.leave()
        }
        try await eventually("it reads on") { ahead.load(ordering: .sequentiallyConsistent) > 16 * 1024 }
        var reader = reading.reader(1)
        var reached: Offset = 0
        while reached < count {
            #expect(ahead.load(ordering: .sequentiallyConsistent) <= reached + Self.mostAhead)
            reached = try step(&reader, after: reached)
        }
        reader.leave()
        await withCheckedContinuation { all in done.notify(queue: .global()) { all.resume() } }
        #expect(ahead.load(ordering: .sequentiallyConsistent) == count)
    }

    @Test func `who leaves, at once or on the way, holds up nobody`() throws {
        let count: Offset = 60_000
        let test = try log(Int(count))
        for early in [0, 3] {
            let reading = SharedReading(test.log, for: Self.views)
            var leaving = reading.reader(1)
            var reached: Offset = 0
            for _ in 0..<early { reached = try step(&leaving, after: reached) }
            leaving.leave()
            leaving.leave()
            var reader = reading.reader(0)
            reached = 0
            while reached < count { reached = try step(&reader, after: reached) }
        }
    }

    @Test func `a reader may go back, and on again`() throws {
        let test = try log(5000)
        var reader = SharedReading(test.log, for: [RoomsProjection.self]).reader(0)
        var reached: Offset = 0
        for _ in 0..<3 { reached = try step(&reader, after: reached) }
        #expect(try step(&reader, after: 10) > 10)
        while reached < 5000 { reached = try step(&reader, after: reached) }
        #expect(try step(&reader, after: 5000) == 5000)
        try test.append([.guest(Identifier(high: 9, low: 9), "late")])
        #expect(try step(&reader, after: 5000) == 5001)
    }

    @Test func `the view that holds most of too much is told to write`() throws {
        let test = try TestLog()
        let reading = SharedReading(test.log, for: Self.views, heldBytes: 100)
        let (one, other) = (reading.reader(0), reading.reader(1))
        #expect(!one.holds(60))
        #expect(!other.holds(39))
        #expect(!other.holds(40), "the other one holds more")
        #expect(one.holds(60))
        #expect(!one.holds(0))
        #expect(other.holds(100))
        #expect(!other.holds(99))
        one.leave()
        #expect(!other.holds(99))
    }

    @Test func `a damaged event fails every view that needs it, and none waits`() throws {
        let test = try log(3000)
        try test.damage(at: 2500)
        let error = #expect(throws: PoisonEvent.self) {
            try Rebuild.build(Views.projections, from: test.log, data: test.folder("all"))
        }
        #expect(error?.offset == 2500)
        let data = test.folder("before")
        let checkpoints = try Rebuild.build(Views.projections, from: test.log, upTo: 2499, data: data)
        #expect(checkpoints.allSatisfy { $0.offset == 2499 })
    }

    @Test func `events of other types change nothing in a view`() throws {
        let test = try TestLog()
        var scenario = Scenario(seed: 91, redacts: true)
        try test.append(scenario.events(4000))
        for projection in Views.projections {
            let told = try ViewFolder(data: "").create(
                projection,
                in: test.folder("told-\(projection.name)"),
                log: test.log,
                isBuilding: true
            )
            try told.environment.write { transaction in
                var reducer: any Projection = projection.init(tables: told.tables)
                let hasher = SHA256()
                try test.log.read(after: 0) { record in
                    try reducer.apply(record, in: &transaction, with: hasher)
                    return true
                }
                try reducer.flush(in: &transaction)
            }
            let directory = test.folder("built-\(projection.name)")
            try Rebuild.build(projection, from: test.log, into: directory)
            let built = try ViewStore(projection, readOnlyDirectory: directory)
            #expect(try ViewDifference.first(between: told, and: built) == nil)
        }
    }
}
