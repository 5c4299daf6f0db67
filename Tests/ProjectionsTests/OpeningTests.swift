import Foundation
import LMDB
import Testing

@testable import Broker
@testable import Projections

/// Which views are trusted at a start, and which are made anew.
struct OpeningTests {
    private func filled(seed: UInt64) async throws -> TestLog {
        let test = try TestLog()
        var scenario = Scenario(seed: seed)
        try test.append(scenario.events(200))
        let views = try test.openViews()
        #expect(views.openings.allSatisfy { $0.opening == .created })
        try views.start()
        try await views.settle(at: 200)
        views.stop()
        return test
    }

    private func state(of test: TestLog, _ projection: any Projection.Type) -> String {
        test.viewFolder().directory(of: projection) + "/state"
    }

    @Test func `a clean stop is trusted after another boot`() async throws {
        let test = try await filled(seed: 41)
        #expect(try String(contentsOfFile: state(of: test, UsersProjection.self), encoding: .utf8) == "clean\n")
        let views = try test.openViews(bootID: "boot-2")
        #expect(views.openings.allSatisfy { $0.opening == .continued })
    }

    @Test func `a crash of the process is trusted, one of the machine isn't`() async throws {
        let test = try await filled(seed: 42)
        // Opened and never stopped: what a crash leaves.
        _ = try test.openViews(bootID: "boot-2")
        var views: Views? = try test.openViews(bootID: "boot-2")
        #expect(views?.openings.allSatisfy { $0.opening == .continued } == true)
        views = nil
        views = try test.openViews(bootID: "boot-3")
        #expect(
            views?.openings.allSatisfy { $0.opening == .dropped("the machine stopped while it was open") } == true
        )
        let rebuilt = try #require(views)
        try rebuilt.start()
        try await rebuilt.settle(at: 200)
        #expect(try rebuilt.verify(ConversationsProjection.self, scratch: test.folder("scratch")).isIdentical)
        rebuilt.stop()
    }

    @Test(arguments: ["", "open", "clea", "\u{0}\u{0}"])
    func `an unreadable state file is distrust`(text: String) async throws {
        let test = try await filled(seed: 43)
        try text.write(toFile: state(of: test, RoomsProjection.self), atomically: false, encoding: .utf8)
        let views = try test.openViews()
        #expect(views.openings.first { $0.name == "rooms" }?.opening == .dropped("its state file is unreadable"))
        #expect(views.openings.filter { $0.opening == .continued }.count == 3)
    }

    @Test func `a missing state file is distrust`() async throws {
        let test = try await filled(seed: 44)
        try FileManager.default.removeItem(atPath: state(of: test, UnreadProjection.self))
        let views = try test.openViews()
        #expect(views.openings.first { $0.name == "unread" }?.opening == .dropped("its state file is missing"))
    }

    @Test func `a view of another log, of a later future or of another epoch is dropped`() async throws {
        let test = try await filled(seed: 45)
        let views = test.viewFolder()
        let one = test.log.identity
        let leaf = try test.log.leafHash(at: 200)
        let other = Identifier(high: 1, low: 2)
        let cases: [(Checkpoint, String)] = [
            (Checkpoint(log: LogIdentity(id: other, epoch: 1), offset: 200, leafHash: leaf), "another log"),
            (Checkpoint(log: LogIdentity(id: one.id, epoch: 2), offset: 200, leafHash: leaf), "from a backup"),
            (Checkpoint(log: one, offset: 201, leafHash: leaf), "ahead"),
            (Checkpoint(log: one, offset: 199, leafHash: leaf), "another event"),
        ]
        for (checkpoint, reason) in cases {
            do {
                let (store, _) = try views.open(RoomsProjection.self, log: test.log)
                try store.environment.write { try store.setCheckpoint(checkpoint, in: &$0) }
            }
            let (store, opening) = try views.open(RoomsProjection.self, log: test.log)
            guard case .dropped(let text) = opening else {
                Issue.record("not dropped: \(reason)")
                continue
            }
            #expect(text.contains(reason))
            #expect(try store.checkpoint().offset == 0)
        }
    }

    @Test func `a file that is no environment, or a checkpoint of another layout, is dropped`() async throws {
        let test = try await filled(seed: 46)
        let folder = test.viewFolder()
        let file = folder.directory(of: UsersProjection.self) + "/data.mdb"
        try Data(repeating: 7, count: 8192).write(to: URL(fileURLWithPath: file))
        let (_, opening) = try folder.open(UsersProjection.self, log: test.log)
        guard case .dropped = opening else {
            Issue.record("a file of sevens was opened")
            return
        }
        do {
            let (store, _) = try folder.open(RoomsProjection.self, log: test.log)
            try store.environment.write { transaction in
                let metadata = try transaction.openTable("metadata")
                try transaction.put([99].span, for: Array("checkpoint".utf8).span, in: metadata)
            }
        }
        let (store, second) = try folder.open(RoomsProjection.self, log: test.log)
        guard case .dropped = second else {
            Issue.record("an unknown checkpoint was read")
            return
        }
        #expect(try store.checkpoint().offset == 0)
    }

    @Test func `a crash between the two renames of a switch loses nothing`() async throws {
        let test = try await filled(seed: 47)
        let folder = test.viewFolder()
        let directory = folder.directory(of: UnreadProjection.self)
        try FileManager.default.moveItem(atPath: directory, toPath: directory + ".retired-1")
        try FileManager.default.createDirectory(atPath: directory + ".rebuild", withIntermediateDirectories: false)
        let (store, opening) = try folder.open(UnreadProjection.self, log: test.log)
        #expect(opening == .continued)
        #expect(try store.checkpoint().offset == 200)
        let left = try FileManager.default.contentsOfDirectory(atPath: test.data + "/views")
        #expect(left.sorted() == Views.projections.map { "\($0.name)-v\($0.version)" }.sorted())
    }

    @Test func `an older version of a view is replaced and removed, a newer one left alone`() async throws {
        let test = try await filled(seed: 48)
        let folder = test.viewFolder()
        let views = test.data + "/views"
        let now = folder.directory(of: RoomsProjection.self)
        let (older, newer) = ("\(views)/rooms-v\(RoomsProjection.version - 1)", "\(views)/rooms-v99")
        let files = FileManager.default
        try files.moveItem(atPath: now, toPath: older)
        try files.copyItem(atPath: older, toPath: older + ".retired-3")
        try files.copyItem(atPath: older, toPath: newer)
        do {
            let (store, opening) = try folder.open(RoomsProjection.self, log: test.log)
            #expect(opening == .dropped("it was of an older version"))
            #expect(try store.checkpoint().offset == 0)
        }
        #expect(!files.fileExists(atPath: older))
        #expect(!files.fileExists(atPath: older + ".retired-3"))
        #expect(files.fileExists(atPath: newer))
        let (_, second) = try folder.open(RoomsProjection.self, log: test.log)
        #expect(second == .continued)
        #expect(try files.contentsOfDirectory(atPath: views).count == Views.projections.count + 1)
    }
}
