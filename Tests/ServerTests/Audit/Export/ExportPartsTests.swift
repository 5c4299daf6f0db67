import Broker
import Cryptography
import Foundation
import Testing

@testable import Server

struct ExportPartsTests {
    private static let id = AccountID(high: 0x0123_4567_89AB_CDEF, low: 42)

    private static let manifest = ExportManifest(
        head: TreeHead(size: 300, root: MerkleTree.emptyRoot),
        selection: ExportSelection(user: id, peer: id, room: id, since: 5, until: SampleFolder.start),
        hasEntries: true,
        names: .init(count: 1, digest: MerkleTree.emptyRoot),
        events: .init(count: 2, digest: MerkleTree.emptyRoot)
    )

    @Test func `a manifest is read as it was written`() throws {
        var manifest = Self.manifest
        #expect(try ExportManifest(text: manifest.text) == manifest)
        manifest.selection = ExportSelection()
        manifest.hasEntries = false
        #expect(try ExportManifest(text: manifest.text) == manifest)
        #expect(String(decoding: manifest.text, as: UTF8.self).hasPrefix("quipu export v1\nsize 300\nroot "))
    }

    @Test func `any other text than that of a manifest is refused`() throws {
        let text = Self.manifest.text
        for position in text.indices {
            for other in [UInt8(ascii: "0"), UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "A"), 0xFF] {
                var changed = text
                changed[position] = other
                guard changed != text, let manifest = try? ExportManifest(text: changed) else { continue }
                #expect(manifest.text == changed, "read, so it is another manifest's")
            }
            #expect(throws: ExportManifest.Malformed.self) { try ExportManifest(text: Array(text[..<position])) }
        }
        for (old, new) in [
            ("size 300", "size 0300"), ("size 300", "size +300"), ("entries yes", "entries Yes"), ("peer ", "peer\t"),
            ("names 1 ", "names 01 "), ("v1", "v2"),
            ("since 1970-01-01T00:00:00.005Z", "since 1970-01-01T00:00:00.0050Z"),
        ] {
            let changed = String(decoding: text, as: UTF8.self).replacing(old, with: new)
            #expect(throws: ExportManifest.Malformed.self, "\(new)") { try ExportManifest(text: Array(changed.utf8)) }
        }
    }

    @Test func `lines are read over the ends of pieces, and hashed`() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("quipu-lines-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: url) }
        let lines = [0, 1, 1 << 20, (1 << 20) - 1, 3, 3 << 20, 0].map { [UInt8](repeating: 0x61, count: $0) }
        let writer = try ExportLinesWriter(url)
        for line in lines { try writer.line { $0 += line + [0x0A] } }
        let written = try writer.finish()
        let whole = [UInt8](try Data(contentsOf: url))
        #expect(written == .init(count: 7, digest: SHA256.hash(whole.span)))
        let reader = try ExportLinesReader(url)
        for line in lines { #expect(try reader.next().map(Array.init) == line) }
        #expect(try reader.next() == nil)
        #expect(reader.finish() == written)
    }

    @Test func `a last line that doesn't end is none`() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("quipu-lines-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: url) }
        try Data("one\ntwo".utf8).write(to: url)
        let reader = try ExportLinesReader(url)
        #expect(try reader.next().map(Array.init) == Array("one".utf8))
        #expect(throws: ExportLinesReader.Malformed.self) { try reader.next() }
    }

    @Test func `a report is printed for people and for programs`() async throws {
        let sample = try await SampleFolder()
        let selection = ExportSelection(user: try sample.account("alice"), peer: try sample.account("bob"))
        let report = try SampleExport(sample, selection).verify()
        let verdict = FileVerdict("export", report)
        #expect(verdict.outcome == .verified)
        let text = Self.printed(verdict, asJSON: false)
        #expect(text.hasPrefix("export: verified: "))
        #expect(text.contains("revisions 1 to 2"))
        #expect(text.contains("0 proven, 2 stated by the operator, 0 erased"))
        let json = Data(Self.printed(verdict, asJSON: true).utf8)
        let object = try #require(try JSONSerialization.jsonObject(with: json) as? NSDictionary)
        #expect(object["result"] as? String == "verified")
        #expect(object["complete"] as? String == "revisions")
        #expect(object["revisions"] as? [Int] == [1, 2])
        let refused = FileVerdict("export", ExportReport(.init(file: "a\u{1B}b", reason: "is wrong")))
        #expect(refused.outcome == .refuted)
        #expect(Self.printed(refused, asJSON: false).hasPrefix("export: REFUTED: a"))
        #expect(!Self.printed(refused, asJSON: false).unicodeScalars.contains("\u{1B}"))
        #expect(Self.printed(refused, asJSON: true).contains(#""refuted_file":"a\u001bb""#))
    }

    private static func printed(_ verdict: FileVerdict, asJSON: Bool) -> String {
        var bytes: [UInt8] = []
        verdict.append(asJSON: asJSON, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}
