import Foundation
import Testing

@testable import Broker
@testable import Projections

/// However the events came to a view, it holds the same.
struct ReplayTests {
    @Test(arguments: [11, 12, 13, 14] as [UInt64])
    func `live, reopened and rebuilt in any batches are the same, byte for byte`(seed: UInt64) async throws {
        print("seed \(seed)")
        let test = try TestLog()
        var scenario = Scenario(seed: seed, redacts: seed > 12)
        var views = try test.openViews(options: .init(batchEvents: 7))
        try views.start()
        for _ in 0..<6 {
            try test.append(scenario.events(150))
            test.announce(to: views)
        }
        try await views.settle(at: test.log.head)
        let live = try views.digests()
        views.stop()

        views = try test.openViews()
        #expect(views.openings.allSatisfy { $0.opening == .continued })
        #expect(try views.digests() == live)
        views.stop()

        for batchEvents in [1, 3, 64, 100_000] {
            let data = test.folder("rebuilt-\(batchEvents)")
            let checkpoints = try Rebuild.build(
                Views.projections,
                from: test.log,
                data: data,
                batchEvents: batchEvents
            )
            #expect(checkpoints.allSatisfy { $0.offset == test.log.head })
            for projection in Views.projections {
                let rebuilt = try store(projection, in: data)
                let digest = try ViewDigest(rebuilt)
                #expect("\(digest.digest)\(digest.damage)" == live[projection.name])
                #expect(try ViewDifference.first(between: store(projection, in: test.data), and: rebuilt) == nil)
            }
        }
    }

    @Test func `a rebuild up to an offset is the view as it was then`() throws {
        let test = try TestLog()
        var scenario = Scenario(seed: 21)
        try test.append(scenario.events(300))
        try Rebuild.build(Views.projections, from: test.log, data: test.folder("then"))
        try test.append(scenario.events(300))
        try Rebuild.build(Views.projections, from: test.log, upTo: 300, data: test.folder("again"))
        try Rebuild.build(Views.projections, from: test.log, data: test.folder("now"))
        for projection in Views.projections {
            let then = try ViewDigest(store(projection, in: test.folder("then")))
            let again = try ViewDigest(store(projection, in: test.folder("again")))
            let now = try ViewDigest(store(projection, in: test.folder("now")))
            #expect(then.digest == again.digest)
            #expect(then.digest != now.digest)
            #expect(again.checkpoint.offset == 300)
        }
    }

    @Test func `a rebuild doesn't overwrite a directory`() throws {
        let test = try TestLog()
        try test.append([.registered(.random(), "a")])
        let directory = test.folder("there")
        try Rebuild.build(UsersProjection.self, from: test.log, into: directory)
        #expect(throws: Rebuild.DirectoryExists.self) {
            try Rebuild.build(UsersProjection.self, from: test.log, into: directory)
        }
    }

    @Test func `a report that throws ends the rebuild and leaves nothing`() throws {
        struct Enough: Error {}
        let test = try TestLog()
        var scenario = Scenario(seed: 22)
        try test.append(scenario.events(50))
        let directory = test.folder("given-up")
        #expect(throws: Enough.self) {
            try Rebuild.build(RoomsProjection.self, from: test.log, into: directory, batchEvents: 10) { progress in
                if progress.projected >= 30 { throw Enough() }
            }
        }
        #expect(!FileManager.default.fileExists(atPath: directory))
    }

    @Test func `redacting payloads in the log changes no digest`() throws {
        let test = try TestLog()
        var scenario = Scenario(seed: 23)
        try test.append(scenario.events(400))
        let redacted = try test.redactedCopy { offset in offset % 3 == 0 }
        try Rebuild.build(Views.projections, from: test.log, data: test.folder("whole"))
        try Rebuild.build(Views.projections, from: redacted, data: test.folder("redacted"))
        for projection in Views.projections {
            let whole = try ViewDigest(store(projection, in: test.folder("whole")))
            let erased = try ViewDigest(store(projection, in: test.folder("redacted")))
            #expect(whole.digest == erased.digest, "\(projection.name)")
            #expect(erased.damage.isEmpty)
        }
        let difference = try ViewDifference.first(
            between: store(ConversationsProjection.self, in: test.folder("whole")),
            and: store(ConversationsProjection.self, in: test.folder("redacted"))
        )
        #expect(difference != nil)
    }

    /// As the log was at each checkpoint, and as it is once much of it is redacted.
    @Test(arguments: [24, 25, 26] as [UInt64])
    func `a view up to a checkpoint has the same digest before and after redactions that came later`(
        seed: UInt64
    ) throws {
        print("seed \(seed)")
        let test = try TestLog()
        var scenario = Scenario(seed: seed, redacts: true)
        var before: [(end: Offset, digests: [String])] = []
        func digests(_ end: Offset, _ data: String, batchEvents: Int) throws -> [String] {
            let data = test.folder(data)
            try Rebuild.build(Views.projections, from: test.log, upTo: end, data: data, batchEvents: batchEvents)
            return try Views.projections.map { projection in
                let digest = try ViewDigest(store(projection, in: data))
                return "\(digest.view) \(digest.digest)\(digest.damage)"
            }
        }
        for _ in 0..<8 {
            let end = try test.append(scenario.events(60))
            before.append((end, try digests(end, "before-\(end)", batchEvents: 13)))
        }
        let redactions = test.events.count { $0.type == .payloadRedacted }
        #expect(redactions > 30)
        for (end, expected) in before {
            for batchEvents in [1, 7, 100_000] {
                #expect(try digests(end, "after-\(end)-\(batchEvents)", batchEvents: batchEvents) == expected)
            }
        }
        #expect(Set(before.map(\.digests)).count == before.count)
    }

    private func store(_ projection: any Projection.Type, in data: String) throws -> ViewStore {
        try ViewStore(projection, readOnlyDirectory: ViewFolder(data: data).directory(of: projection))
    }
}

struct LogTimeTests {
    @Test func `an offset is found by time, also between events and outside the log`() throws {
        let test = try TestLog()
        #expect(try test.log.offset(atOrBefore: .max) == 0)
        var scenario = Scenario(seed: 31)
        try test.append(scenario.events(100))
        for offset in 1...100 as ClosedRange<Offset> {
            let time = TestLog.milliseconds(of: offset)
            #expect(try test.log.offset(atOrBefore: time) == offset)
            #expect(try test.log.offset(atOrBefore: time + 9) == offset)
            #expect(try test.log.offset(atOrBefore: time - 1) == offset - 1)
        }
        #expect(try test.log.offset(atOrBefore: 0) == 0)
        #expect(try test.log.offset(atOrBefore: .max) == 100)
    }
}
