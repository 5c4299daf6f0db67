import Broker
import Cryptography
import Foundation
import Testing

@testable import Server

/// What an operator could try who has the key and signs the manifest of a changed export anew.
struct ExportForgeryTests {
    private func export(
        _ make: (SampleFolder) throws -> ExportSelection,
        entries: Bool? = nil
    ) async throws -> SampleExport {
        let sample = try await SampleFolder()
        return try SampleExport(sample, make(sample), entries: entries)
    }

    private func export() async throws -> SampleExport { try await export { _ in ExportSelection() } }

    private func room(_ sample: SampleFolder) -> ExportSelection { ExportSelection(room: sample.room) }

    @Test func `a line left out within a room is found by the revisions`() async throws {
        for left in 0..<6 {
            let export = try await self.export(room)
            try export.forge { Array($0[..<left] + $0[(left + 1)...]) }
            #expect(try export.refusal()?.contains("should follow") == true, "line \(left)")
        }
    }

    @Test func `the newest left out is not found without the entries, and is with them`() async throws {
        var export = try await self.export(room)
        try export.forge { $0.dropLast() }
        let report = try export.verify()
        #expect(report.refutation == nil)
        #expect(report.revisions == 1...6, "what isn't proven is said: how far it goes")
        export = try await self.export(room, entries: true)
        try export.forge { $0.dropLast() }
        #expect(try export.refusal()?.contains("isn't event 14") == true)
    }

    @Test func `a user's event left out is found with the entries only`() async throws {
        func user(_ sample: SampleFolder) throws -> ExportSelection {
            ExportSelection(user: try sample.account("bob"))
        }
        var export = try await self.export(user)
        try export.forge { Array($0[..<2] + $0[3...]) }
        #expect(try export.verify().completeness == .none)
        #expect(try export.refusal() == nil)
        export = try await self.export(user, entries: true)
        try export.forge { Array($0[..<2] + $0[3...]) }
        #expect(try export.refusal()?.contains("isn't event 5") == true)
    }

    @Test func `an offset left out of a span of time is found`() async throws {
        let export = try await self.export { _ in ExportSelection(until: SampleFolder.start + 9000) }
        try export.forge { Array($0[..<4] + $0[5...]) }
        #expect(try export.refusal()?.contains("should follow") == true)
    }

    @Test func `lines swapped, doubled or from elsewhere are found`() async throws {
        let changes: [([String]) -> [String]] = [
            { [$0[1], $0[0]] + $0[2...] }, { [$0[0], $0[0]] + $0[1...] }, { $0 + [$0[0]] }, { Array($0.dropFirst()) },
            { Array($0[..<8] + [$0[8].replacing("to all", with: "to none")] + $0[9...]) },
            { $0 + [""] }, { $0.map { $0 + " " } }, { ["{}"] + $0.dropFirst() },
        ]
        for (number, change) in changes.enumerated() {
            let export = try await self.export()
            try export.forge(by: change)
            #expect(try export.refusal() != nil, "change \(number)")
        }
    }

    @Test func `what is read in a line is what the record says`() async throws {
        let changes = [
            (#""type":"MessageSent""#, #""type":"MessageEdited""#), (#""revision":1"#, #""revision":2"#),
            (#""actor":"alice""#, #""actor":"eve""#), (#""reference":0"#, #""reference":1"#),
            (#""withheld":false"#, #""withheld":true"#), (#""redacted":false"#, #""redacted":true"#),
            (#""index":3"#, #""index":4"#), (#""offset":4"#, #""offset":5"#), (#""offset":4"#, #""Offset":4"#),
            (#""offset":4"#, #""offset":04"#), (#""proof":["#, #""proof":[""#), (#""version":1"#, #""version":2"#),
            (#""content":"h"#, #""content":"H"#), ("2026-01-01", "2026-01-02"),
            (#""subject":"bob""#, #""subject":null"#),
        ]
        for (old, new) in changes {
            let export = try await self.export()
            try export.forge { lines in
                var lines = lines
                lines[3] = lines[3].replacing(old, with: new, maxReplacements: 1)
                return lines
            }
            #expect(try export.refusal()?.hasPrefix("events.jsonl: line 4") == true, "\(new)")
        }
    }

    @Test func `a proof from another line is found`() async throws {
        let export = try await self.export()
        try export.forge { lines in
            func split(_ line: String) throws -> (Substring, Substring) {
                let start = try #require(line.range(of: #","proof":"#)).lowerBound
                return (line[..<start], line[start...])
            }
            var lines = lines
            if let one = try? split(lines[3]), let other = try? split(lines[9]) { lines[3] = String(one.0 + other.1) }
            return lines
        }
        #expect(try export.refusal()?.hasPrefix("events.jsonl: line 4") == true)
    }

    @Test func `a name that the log proves can't be stated otherwise, one that is withheld can`() async throws {
        var export = try await self.export()
        try export.forge(ExportFolder.names) { $0.map { $0.replacing(SampleFolder.guest, with: "eve") } }
        #expect(try export.refusal()?.hasPrefix("names.jsonl") == true)
        export = try await self.export()
        try export.forge(ExportFolder.names) { $0.map { $0.replacing(#""bob""#, with: #""eve""#) } }
        #expect(try export.refusal()?.hasPrefix("events.jsonl") == true, "the lines must say the same")
        try export.forge { $0.map { $0.replacing(#""bob""#, with: #""eve""#) } }
        let report = try export.verify()
        #expect(report.refutation == nil, "the operator's word, and the report says so")
        #expect(report.statedNameCount == 2)
    }

    @Test func `names left out, too many, or twice are found`() async throws {
        let changes: [([String]) -> [String]] = [
            { Array($0.dropLast()) }, { Array($0.dropFirst()) }, { [$0[0]] + $0 }, { [$0[1], $0[0]] + $0[2...] },
        ]
        for (number, change) in changes.enumerated() {
            let export = try await self.export()
            try export.forge(ExportFolder.names, by: change)
            #expect(try export.refusal() != nil, "change \(number)")
        }
        let whole = try await self.export()
        let all = try whole.lines(ExportFolder.names)
        let one = try SampleExport(whole.sample, ExportSelection(user: try whole.sample.account(SampleFolder.guest)))
        try one.forge(ExportFolder.names) { _ in all }
        #expect(try one.refusal()?.contains("without need") == true)
    }

    @Test func `a manifest of another selection, size or form is found`() async throws {
        let changes: [(inout ExportManifest) -> Void] = [
            { $0.selection.since = SampleFolder.start + 1000 }, { $0.selection.until = SampleFolder.start + 1000 },
            { $0.selection.room = RoomID(high: 1, low: 2) }, { $0.selection.user = RoomID(high: 1, low: 2) },
            { $0.hasEntries = false }, { $0.head.size += 1 }, { $0.events.count += 1 }, { $0.names.count += 1 },
            { $0.head.root = MerkleTree.emptyRoot }, { $0.events.digest = MerkleTree.emptyRoot },
        ]
        for (number, change) in changes.enumerated() {
            let export = try await self.export()
            try export.forgeManifest(change)
            #expect(try export.refusal() != nil, "change \(number)")
        }
    }

    @Test func `any bit of the smaller files is looked at`() async throws {
        let export = try await self.export(room)
        let names = [ExportFolder.checkpoint, ExportFolder.manifest, "tile/0/000.p/15", ExportFolder.names]
        for name in names {
            let bytes = try export.folder.read(name)
            for position in stride(from: 0, to: bytes.count, by: name == ExportFolder.names ? 37 : 3) {
                var changed = bytes
                changed[position] ^= 1 << UInt8(position % 8)
                try export.folder.write(changed, to: name)
                #expect(try export.refusal() != nil, "\(name), byte \(position)")
            }
            try export.folder.write(bytes, to: name)
        }
        #expect(try export.refusal() == nil)
    }
}
