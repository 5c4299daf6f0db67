import Cryptography
import Foundation
import Projections
import Testing

@testable import Broker
@testable import Server

/// What a verification of a data folder finds beyond what the log's own verification does.
@Suite struct FolderVerificationTests {
    private func verify(
        _ sample: SampleFolder,
        _ change: (inout FolderVerification) -> Void = { _ in }
    ) async throws
        -> FolderReport
    {
        var verification = FolderVerification(folder: sample.folder)
        change(&verification)
        return try await verification.run()
    }

    /// Writes a checkpoint of the first `size` events, signed by `key`.
    private func checkpoint(
        _ sample: SampleFolder,
        size: UInt64,
        by key: SigningKey,
        named name: String
    ) throws
        -> String
    {
        let head = try sample.log().treeHead(at: size)
        let note = try LogCheckpoint(origin: key.verifierKey.name, size: head.size, root: head.root).sign(with: key)
        let file = "\(sample.folder.path)/\(name)"
        try Data(note.encode()).write(to: URL(fileURLWithPath: file))
        return file
    }

    @Test func `an intact folder is verified, with its head signed, and nothing is left behind`() async throws {
        let sample = try await SampleFolder()
        let key = try AuditKey(folder: sample.folder, log: sample.log().identity)
        let files = FileManager.default
        let before = try files.subpathsOfDirectory(atPath: sample.folder.path).sorted()
        let report = try await verify(sample)
        #expect(report.outcome == .verified)
        #expect(report.eventCount == SampleFolder.head)
        #expect(report.views.map(\.view) == Views.projections.map { $0.name })
        #expect(report.views.allSatisfy { $0.differences.isEmpty && $0.events == SampleFolder.head })
        let note = try #require(report.checkpoint)
        let signed = try VerifiedCheckpoint(note, logKey: key.verifierKey).checkpoint
        #expect(signed.size == SampleFolder.head)
        #expect(report.lines.contains("verified"))
        #expect(report.json.contains(#""outcome":"verified""#))
        #expect(try files.subpathsOfDirectory(atPath: sample.folder.path).sorted() == before)
    }

    @Test func `without a key and without views it says so, makes none, and is verified`() async throws {
        let sample = try await SampleFolder()
        try FileManager.default.removeItem(atPath: sample.folder.views)
        let report = try await verify(sample)
        #expect(report.outcome == .verified)
        #expect(report.checkpoint == nil)
        #expect(report.lines.contains { $0.contains("not signed") })
        #expect(report.lines.count { $0.contains("not there") } == Views.projections.count)
        #expect(!FileManager.default.fileExists(atPath: sample.folder.path + "/audit.key"))
    }

    @Test func `a checkpoint from before must be of this log's beginning, by its key`() async throws {
        let sample = try await SampleFolder()
        let identity = try sample.log().identity
        let key = try AuditKey(folder: sample.folder, log: identity).signingKey
        let other = SigningKey(name: AuditKey.origin(of: identity), privateKey: .generate())
        let stranger = SigningKey(
            name: AuditKey.origin(of: LogIdentity(id: .random(), epoch: 1)),
            privateKey: .generate()
        )
        let old = try checkpoint(sample, size: 7, by: key, named: "old")
        let forged = try checkpoint(sample, size: 7, by: other, named: "forged")
        let foreign = try checkpoint(sample, size: 7, by: stranger, named: "foreign")
        let longer = "\(sample.folder.path)/longer"
        let root = try sample.log().treeHead().root
        let note = try LogCheckpoint(origin: key.verifierKey.name, size: 99, root: root).sign(with: key)
        try Data(note.encode()).write(to: URL(fileURLWithPath: longer))
        let rewritten = "\(sample.folder.path)/rewritten"
        let another = try LogCheckpoint(origin: key.verifierKey.name, size: 7, root: root).sign(with: key)
        try Data(another.encode()).write(to: URL(fileURLWithPath: rewritten))
        for (file, problem) in [
            (old, nil), (forged, "known key"), (foreign, "known key"), (longer, "99 events; now it has 15"),
            (rewritten, "first 7 events aren't"), (sample.folder.lock + "x", "can't be read"),
        ] as [(String, String?)] {
            guard problem != "can't be read" else {
                await #expect(throws: CommandFailure.self) { try await verify(sample) { $0.checkpoints = [file] } }
                continue
            }
            let report = try await verify(sample) {
                $0.checkpoints = [file]
                $0.comparesViews = false
            }
            #expect(report.outcome == (problem == nil ? .verified : .refuted))
            #expect(report.checkpoints.map { $0.problem?.contains(problem ?? "") } == [problem.map { _ in true }])
            #expect((report.checkpoint == nil) == (problem != nil), "nothing is signed that was refuted")
        }
        let report = try await verify(sample) {
            $0.checkpoints = [forged]
            $0.key = other.verifierKey
        }
        #expect(report.outcome == .refuted)
        #expect(report.keyProblem?.contains(key.verifierKey.description) == true)
    }

    @Test func `a view that isn't what the log says, is ahead of it, or can't be read is found`() async throws {
        for (change, said) in [("row", "values differ"), ("other", "another log"), ("pages", "page")] {
            let sample = try await SampleFolder()
            let projection = try #require(Views.projection(named: "conversations"))
            let directory = ViewFolder(data: sample.folder.path).directory(of: projection)
            let files = FileManager.default
            switch change {
            case "row":
                try files.removeItem(atPath: directory)
                let view = try ViewCopy(of: projection, from: sample.log(), in: sample.folder.path)
                #expect(try view.flipBit(inTable: "messages"))
            case "other":
                let other = try await SampleFolder()
                try files.removeItem(atPath: directory)
                try files.copyItem(
                    atPath: ViewFolder(data: other.folder.path).directory(of: projection),
                    toPath: directory
                )
            default:
                let file = try #require(FileHandle(forUpdatingAtPath: directory + "/data.mdb"))
                // All but the metas.
                try file.truncate(atOffset: 2 * 4096)
                try file.close()
            }
            let report = try await verify(sample)
            #expect(report.outcome == .refuted)
            let different = report.views.filter { !$0.differences.isEmpty }
            #expect(different.map(\.view) == ["conversations"])
            #expect(different.first?.differences.first?.contains(said) == true)
            #expect(report.json.contains(#""view":"conversations","identical":false"#))
        }
    }

    @Test func `a damaged file is refuted before anything is read from it, and damaged events before the views`()
        async throws
    {
        let sample = try await SampleFolder()
        let file = try #require(FileHandle(forUpdatingAtPath: sample.folder.log + "/data.mdb"))
        try file.truncate(atOffset: 2 * 4096)
        try file.close()
        let cut = try await verify(sample)
        #expect(cut.outcome == .refuted)
        #expect(cut.faults.first?.code == "page")
        #expect(cut.log == nil && cut.views.isEmpty)
        #expect(throws: (any Error).self) { try sample.log() }

        let other = try await SampleFolder()
        let copy = try LogCopy(of: other.log(), in: other.folder.path + "/copy")
        try copy.drop(5)
        try FileManager.default.removeItem(atPath: other.folder.log)
        try FileManager.default.moveItem(atPath: copy.directory, toPath: other.folder.log)
        let report = try await verify(other)
        #expect(report.outcome == .refuted)
        #expect(report.faults.map(\.code).contains("missing"))
        #expect(report.viewsSkipped?.contains("isn't intact") == true)
        #expect(report.lines.contains { $0.hasPrefix("fault") && $0.contains("event 5 is missing") })
    }

    @Test func `where there is no log nothing can be told`() async throws {
        let folder = DataFolder(NSTemporaryDirectory() + "quipu-none-" + UUID().uuidString)
        let failure = await #expect(throws: CommandFailure.self) {
            try await FolderVerification(folder: folder).run()
        }
        #expect(failure?.status == .usage)
    }

    @Test func `a log that a newer version has written to is neither verified nor refuted`() throws {
        let newer = LogVerification(
            head: nil,
            offsets: 1..<3,
            faults: [.unreadable(2, .unknownType(99))],
            moreFaults: 4,
            isOfNewerVersion: true,
            streams: 1
        )
        let report = FolderReport(log: LogIdentity(id: .random(), epoch: 1), newer)
        #expect(report.outcome == .unknown)
        #expect(report.outcome.status == .usage)
        #expect(report.lines.last?.contains("newer version") == true)
        #expect(report.lines.contains { $0.hasSuffix("and 4 more") })
    }
}
