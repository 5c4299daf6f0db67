import Broker
import Cryptography
import Foundation
import LMDB
import Testing

@testable import Server

/// An export of a sample's log, which a test may change as whoever has the key could, or as whoever hasn't.
final class SampleExport {
    let sample: SampleFolder
    let key: AuditKey
    let folder: ExportFolder

    init(_ sample: SampleFolder, _ selection: ExportSelection = ExportSelection(), entries: Bool? = nil) throws {
        self.sample = sample
        let log = try sample.log()
        key = try AuditKey(folder: sample.folder, log: log.identity)
        folder = ExportFolder(sample.folder.path + "/export-" + UUID().uuidString)
        _ = try folder.make()
        let export = LogExport(
            log: log,
            key: key,
            selection: selection,
            hasEntries: entries ?? selection.isEverything,
            bar: ProgressBar(unit: "done", isShown: false)
        )
        _ = try export.write(to: folder)
    }

    func verify() throws -> ExportReport {
        try ExportVerification.verify(folder: folder.path, key: key.verifierKey)
    }

    /// Why it is refused; nil if it is accepted.
    func refusal() throws -> String? { try verify().refutation.map { "\($0.file): \($0.reason)" } }

    func text(_ name: String) throws -> String { String(decoding: try folder.read(name), as: UTF8.self) }

    func lines(_ name: String = ExportFolder.events) throws -> [String] {
        try text(name).split(separator: "\n").map(String.init)
    }

    func objects(_ name: String = ExportFolder.events) throws -> [NSDictionary] {
        try lines(name).map { line in
            try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? NSDictionary)
        }
    }

    /// Writes other lines, and signs a manifest that names them: what only the operator can do.
    func forge(_ name: String = ExportFolder.events, by change: ([String]) -> [String]) throws {
        let lines = change(try lines(name))
        let bytes = Array(lines.map { $0 + "\n" }.joined().utf8)
        try folder.write(bytes, to: name)
        let file = ExportManifest.Lines(count: UInt64(lines.count), digest: SHA256.hash(bytes.span))
        try forgeManifest { manifest in
            if name == ExportFolder.events { manifest.events = file } else { manifest.names = file }
        }
    }

    /// Signs another manifest.
    func forgeManifest(_ change: (inout ExportManifest) -> Void) throws {
        var manifest = try ExportManifest(text: SignedNote(folder.read(ExportFolder.manifest)).text)
        change(&manifest)
        let note = try SignedNote(signing: manifest.text, with: [key.signingKey])
        try folder.write(note.encode(), to: ExportFolder.manifest)
    }
}

extension SampleFolder {
    /// Puts the record of one event in the place of another's, as somebody could who has the files.
    func replace(_ offset: Offset, with other: Offset) throws {
        let environment = try Environment(path: folder.log, options: .init(mapBytes: 1 << 26, tables: 8))
        try environment.write { transaction in
            let events = try transaction.openTable("events", hasIntegerKeys: true)
            var record: [UInt8] = []
            if let bytes = try transaction.value(of: other, in: events) { record.append(bytes) }
            try transaction.put(record.span, for: offset, in: events)
        }
    }
}
