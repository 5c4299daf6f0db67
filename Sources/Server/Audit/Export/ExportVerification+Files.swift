import Broker
import Foundation

// What an export consists of, and what goes wrong when it is read.
extension ExportVerification {
    /// The checkpoint that the log's key signed.
    static func checkpoint(in folder: ExportFolder, _ key: VerifierKey) throws -> LogCheckpoint {
        let problem = Refutation(file: ExportFolder.checkpoint, reason: "")
        let note = try note(ExportFolder.checkpoint, in: folder)
        return try refuting(problem) {
            try VerifiedCheckpoint(note, logKey: key).checkpoint
        }
    }

    /// The manifest that the log's key signed.
    static func manifest(in folder: ExportFolder, _ key: VerifierKey) throws -> ExportManifest {
        let note = try note(ExportFolder.manifest, in: folder)
        let problem = Refutation(file: ExportFolder.manifest, reason: "")
        _ = try refuting(problem) { try note.verify(with: [key]) }
        do {
            return try ExportManifest(text: note.text)
        } catch {
            throw Refutation(file: ExportFolder.manifest, reason: "line \(error.line) is malformed")
        }
    }

    private static func note(_ name: String, in folder: ExportFolder) throws -> SignedNote {
        guard FileManager.default.fileExists(atPath: folder.url(name).path) else {
            throw Refutation(file: name, reason: "is missing: the export was never finished, or it was taken away")
        }
        let bytes = try folder.read(name)
        return try refuting(Refutation(file: name, reason: "")) { try SignedNote(bytes) }
    }

    /// Looks whether all files of the export are there, and nothing else.
    static func checkFiles(in folder: ExportFolder, size: UInt64, hasEntries: Bool) throws {
        var missing = ExportFolder.files(size: size, hasEntries: hasEntries)
        guard let found = FileManager.default.enumerator(atPath: folder.path) else {
            throw CommandFailure("\(folder.path) can't be read", status: .usage)
        }
        while let name = found.nextObject() as? String {
            let type = found.fileAttributes?[.type] as? FileAttributeType
            if type == .typeDirectory { continue }
            guard missing.remove(name) != nil else { throw Refutation(file: name, reason: "is no part of the export") }
            guard type == .typeRegular else { throw Refutation(file: name, reason: "is no file") }
        }
        if let name = missing.min() { throw Refutation(file: name, reason: "is missing") }
    }

    /// The next line of a file of lines.
    static func next(_ reader: ExportLinesReader, _ file: String) throws -> ArraySlice<UInt8>? {
        do {
            return try reader.next()
        } catch let error as ExportLinesReader.Malformed {
            throw Refutation(file: file, reason: "line \(error.line) doesn't end")
        }
    }

    /// Where a tile is wrong is in the error.
    static let tiles = Refutation(file: "tile", reason: "")

    /// What `body` gives; what is wrong in its eyes is wrong with the export.
    static func refuting<Value>(_ problem: Refutation, _ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let refutation as Refutation {
            throw refutation
        } catch let error as CocoaError {
            // The disk's fault proves nothing.
            throw error
        } catch {
            let reason = String(describing: error)
            throw Refutation(
                file: problem.file,
                reason: [problem.reason, reason].filter { !$0.isEmpty }.joined(separator: ": ")
            )
        }
    }
}
