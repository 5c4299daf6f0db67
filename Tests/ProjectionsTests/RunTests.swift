import Foundation
import LMDB
import Testing

@testable import Broker
@testable import Projections

/// Rebuilds by runs in memory: as many events in one as its memory allows.
struct RunTests {
    /// 1 byte ends a run as soon as it is looked at, the next some times, the last never.
    @Test(arguments: [false, true])
    func `a view is the same, however much memory its rebuild may take`(redacts: Bool) throws {
        let test = try TestLog()
        var scenario = Scenario(seed: 84, redacts: redacts)
        try test.append(scenario.events(4000))
        var digests: [[String]] = []
        for memoryBytes in [1, 600_000, Rebuild.memoryBytes] {
            let data = test.folder("built-\(memoryBytes)")
            try Rebuild.build(Views.projections, from: test.log, data: data, memoryBytes: memoryBytes)
            digests.append(
                try Views.projections.map { projection in
                    let digest = try ViewDigest(store(projection, in: data))
                    #expect(digest.damage.isEmpty)
                    return "\(digest.view) \(digest.digest)"
                }
            )
            guard memoryBytes > 1 else { continue }
            for projection in Views.projections {
                let first = try store(projection, in: test.folder("built-1"))
                #expect(try ViewDifference.first(between: first, and: store(projection, in: data)) == nil)
            }
        }
        #expect(Set(digests).count == 1)
    }

    /// What memory it takes is looked at after each 64 KiB of events.
    @Test func `a run ends when its memory is full, and not before`() throws {
        let test = try TestLog()
        let (alice, bob) = (Identifier(high: 1, low: 1), Identifier(high: 1, low: 2))
        let messages = (1...4000).map { TestEvent.sent("message \($0)", from: alice, to: bob) }
        try test.append(messages)
        func runs(_ heldBytes: Int) throws -> [Offset] {
            let folder = ViewFolder(data: "")
            let directory = test.folder("held-\(heldBytes)")
            let store = try folder.create(UnreadProjection.self, in: directory, log: test.log, isBuilding: true)
            let bounds = SliceBounds(heldBytes: heldBytes, partBytes: 4096)
            var projector = try Projector(store, log: test.log, bounds: bounds)
            var ends: [Offset] = []
            while try projector.advance(limit: .max) { ends.append(projector.projected) }
            return ends
        }
        #expect(try runs(.max) == [4000])
        let shortest = try runs(1)
        let longer = try runs(50_000)
        #expect(longer.count > 1 && longer.count < shortest.count, "\(longer), \(shortest)")
        #expect(shortest.last == 4000 && longer.last == 4000)
        #expect(shortest.contains(longer[0]))
        var bytes = 0
        try test.log.read(after: 0, limit: Int(shortest[0]) - 1) { record in
            bytes += record.bytes.count
            return true
        }
        #expect(bytes < SliceBounds.lookBytes)
    }

    @Test func `progress is told within a run, and can end it`() throws {
        struct Enough: Error {}
        let test = try TestLog()
        var scenario = Scenario(seed: 86)
        try test.append(scenario.events(9000))
        let directory = test.folder("given-up")
        #expect(throws: Enough.self) {
            try Rebuild.build(UnreadProjection.self, from: test.log, into: directory) { progress in
                #expect(progress.target == 9000)
                if progress.projected < 9000 { throw Enough() }
            }
        }
        #expect(!FileManager.default.fileExists(atPath: directory))
    }

    @Test func `a text that was edited in the same run is in no page`() throws {
        let test = try TestLog()
        let (alice, bob) = (Identifier(high: 1, low: 1), Identifier(high: 1, low: 2))
        try test.append([.registered(alice, "alice"), .registered(bob, "bob")])
        for index in 0..<300 { try test.append([.sent("first-MARKER \(index)", from: alice, to: bob)]) }
        for index in 0..<300 {
            let target = Offset(3 + index)
            try test.append([.edited(target, to: "second", by: alice, in: .conversation(alice, bob))])
        }
        let directory = test.folder("built")
        try Rebuild.build(ConversationsProjection.self, from: test.log, into: directory)
        let file = try Data(contentsOf: URL(fileURLWithPath: directory + "/data.mdb"))
        #expect(file.range(of: Data("first-MARKER".utf8)) == nil)
        #expect(file.range(of: Data("second".utf8)) != nil)
    }

    @Test func `a rebuild that was killed is not taken for a view`() throws {
        let test = try TestLog()
        var scenario = Scenario(seed: 87)
        try test.append(scenario.events(100))
        let folder = test.viewFolder()
        let directory = folder.directory(of: RoomsProjection.self)
        _ = try folder.create(RoomsProjection.self, in: directory, log: test.log, isBuilding: true)
        let (_, opening) = try folder.open(RoomsProjection.self, log: test.log)
        #expect(opening == .dropped("its rebuild was never finished"))
    }

    @Test func `a view that was replaced without a server is trusted in this boot, and flushed by the next server`()
        throws
    {
        let test = try TestLog()
        var scenario = Scenario(seed: 88)
        try test.append(scenario.events(100))
        let folder = test.viewFolder(bootID: "boot-1")
        #expect(try Rebuild.replace(RoomsProjection.self, in: folder, from: test.log).offset == 100)
        #expect(try folder.open(RoomsProjection.self, log: test.log).1 == .continued)
        let other = test.viewFolder(bootID: "boot-2")
        #expect(
            try other.open(RoomsProjection.self, log: test.log).1 == .dropped("the machine stopped while it was open")
        )
    }

    private func store(_ projection: any Projection.Type, in data: String) throws -> ViewStore {
        try ViewStore(projection, readOnlyDirectory: ViewFolder(data: data).directory(of: projection))
    }
}
