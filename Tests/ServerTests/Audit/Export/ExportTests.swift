import Broker
import Cryptography
import Foundation
import Testing

@testable import Server

struct ExportTests {
    @Test func `an export of the whole log is accepted and says what was selected`() async throws {
        let sample = try await SampleFolder()
        let export = try SampleExport(sample)
        let report = try export.verify()
        #expect(report.refutation == nil)
        #expect(report.eventCount == SampleFolder.head)
        #expect(report.completeness == .whole)
        #expect(report.withheldCount == 2)
        #expect(report.statedNameCount == 2)
        #expect(report.provenNameCount == 2, "the guest and the room")
        let objects = try export.objects()
        #expect(objects.compactMap { $0["offset"] as? UInt64 } == Array(1...SampleFolder.head))
        #expect(objects[3]["content"] as? String == SampleFolder.rudeText)
        #expect(objects[3]["actor"] as? String == "alice")
        #expect(objects[3]["subject"] as? String == "bob")
        #expect(objects[8]["subject"] as? String == SampleFolder.roomName)
        #expect(objects[14]["actor"] as? String == SampleFolder.guest)
        #expect(objects[0]["withheld"] as? Bool == true)
        #expect(objects[0]["email"] == nil)
    }

    @Test func `no secret is in it, in whatever form`() async throws {
        let export = try SampleExport(try await SampleFolder())
        let hidden = [Array(SampleFolder.secret.utf8), Array("alice@example.org".utf8)]
        for name in [ExportFolder.names, ExportFolder.events] {
            let bytes = try export.folder.read(name)
            for secret in hidden { #expect(!bytes.contains(secret)) }
            for object in try export.objects(name) {
                let record = try #require((object["record"] as? String).flatMap { Data(base64Encoded: $0) })
                for secret in hidden { #expect(!Array(record).contains(secret)) }
            }
        }
    }

    struct Case: Sendable {
        var user: String?
        var peer: String?
        var isRoom = false
        var since: UInt64?
        var until: UInt64?
        var offsets: [Offset]
        var revisions: ClosedRange<UInt64>?
        var completeness: ExportReport.Completeness
    }

    static let cases = [
        Case(user: "alice", peer: "bob", offsets: [4, 5], revisions: 1...2, completeness: .revisions),
        Case(user: "alice", peer: SampleFolder.guest, offsets: [15], revisions: 1...1, completeness: .revisions),
        Case(user: "bob", peer: "bob", offsets: [], completeness: .revisions),
        Case(user: "bob", offsets: [2, 4, 5, 8, 10, 11, 12, 14], completeness: .none),
        Case(isRoom: true, offsets: [6, 7, 8, 9, 10, 13, 14], revisions: 1...7, completeness: .revisions),
        Case(isRoom: true, since: 6000, until: 8000, offsets: [9, 10], revisions: 4...5, completeness: .revisions),
        Case(user: "bob", isRoom: true, offsets: [8, 10, 14], revisions: 3...7, completeness: .none),
        Case(since: 4000, until: 6000, offsets: [5, 6, 7, 8], completeness: .offsets),
        Case(since: 60_000, offsets: [], completeness: .offsets),
    ]

    @Test(arguments: cases, [false, true])
    func `the right events are exported and what is proven is said`(row: Case, entries: Bool) async throws {
        let sample = try await SampleFolder()
        let selection = ExportSelection(
            user: try row.user.map { try sample.account($0) },
            peer: try row.peer.map { try sample.account($0) },
            room: row.isRoom ? sample.room : nil,
            since: row.since.map { SampleFolder.start + $0 },
            until: row.until.map { SampleFolder.start + $0 }
        )
        let export = try SampleExport(sample, selection, entries: entries)
        let report = try export.verify()
        #expect(report.refutation == nil)
        #expect(try export.objects().compactMap { $0["offset"] as? UInt64 } == row.offsets)
        #expect(report.eventCount == UInt64(row.offsets.count))
        #expect(report.firstOffset == row.offsets.first)
        #expect(report.lastOffset == row.offsets.last)
        #expect(report.revisions == row.revisions)
        #expect(report.completeness == (entries ? .whole : row.completeness))
        let names = try FileManager.default.subpathsOfDirectory(atPath: export.folder.path)
        #expect(names.contains("tile/entries/000.p/15") == entries)
        #expect(names.contains("tile/0/000.p/15"))
    }

    @Test func `redacted messages stay in their place, and their words are gone`() async throws {
        let sample = try await SampleFolder()
        let before = try SampleExport(sample).text(ExportFolder.checkpoint)
        try sample.redact([4, 3, 6])
        let export = try SampleExport(sample)
        #expect(try export.text(ExportFolder.checkpoint) == before)
        let report = try export.verify()
        #expect(report.refutation == nil)
        #expect(report.redactedCount == 3)
        #expect(report.erasedNameCount == 2, "the guest's and the room's")
        let objects = try export.objects()
        #expect(objects[3]["redacted"] as? Bool == true)
        #expect(objects[3]["content"] == nil)
        #expect(objects[14]["actor"] is NSNull)
        #expect(try !export.text(ExportFolder.events).contains("hello"))
        #expect(try !export.text(ExportFolder.names).contains(SampleFolder.guest))
    }

    @Test func `an event that isn't the tree's is not exported`() async throws {
        let sample = try await SampleFolder()
        try sample.append([.said("one more", by: sample.account("alice"), to: sample.account("bob"))])
        #expect(try SampleExport(sample).refusal() == nil)
        // Another event in the place of one, with a checksum that is right.
        try sample.replace(5, with: 4)
        #expect(throws: TreeError.eventAltered(5)) { try SampleExport(sample) }
        let selection = ExportSelection(user: try sample.account("alice"), peer: try sample.account("bob"))
        #expect(throws: TreeError.eventAltered(5)) { try SampleExport(sample, selection) }
    }

    @Test func `a folder in use is left as it is, and what isn't finished is taken away`() async throws {
        let sample = try await SampleFolder()
        let export = try SampleExport(sample)
        let failure = #expect(throws: CommandFailure.self) { _ = try export.folder.make() }
        #expect(failure?.status == .usage)
        #expect(try export.refusal() == nil)
        export.folder.discard(isNew: false)
        #expect(try FileManager.default.contentsOfDirectory(atPath: export.folder.path).isEmpty)
        #expect(try !export.folder.make())
        export.folder.discard(isNew: true)
        #expect(!FileManager.default.fileExists(atPath: export.folder.path))
        let unknown = #expect(throws: CommandFailure.self) { try export.verify() }
        #expect(unknown?.status == .usage)
    }
}
