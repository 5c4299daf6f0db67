import Broker
import Foundation

/// The folder of an export, and where in it each thing is.
///
/// ```
/// checkpoint             the head of the tree, signed; written last
/// manifest               what the export is of, signed
/// names.jsonl            the events that name the accounts and rooms, one a line
/// events.jsonl           the events that were selected, one a line
/// tile/0/000 …           the whole tree, as C2SP tlog-tiles has it
/// tile/entries/000 …     the entries of all events, if they were asked for
/// ```
struct ExportFolder: Sendable {
    static let checkpoint = "checkpoint"
    static let manifest = "manifest"
    static let names = "names.jsonl"
    static let events = "events.jsonl"

    /// Without a slash at its end.
    let path: String

    init(_ path: String) { self.path = DataFolder(path).path }

    func url(_ name: String) -> URL { URL(fileURLWithPath: "\(path)/\(name)", isDirectory: false) }

    /// All files of the export of a log of `size` events.
    static func files(size: UInt64, hasEntries: Bool) -> Set<String> {
        var files: Set = [checkpoint, manifest, names, events]
        for coordinate in TileCoordinate.tiles(to: size) { files.insert(coordinate.path) }
        if hasEntries { for coordinate in TileCoordinate.entryBundles(to: size) { files.insert(coordinate.path) } }
        return files
    }

    /// Makes the folder for an export.
    ///
    /// - Returns: Whether it wasn't there before.
    /// - Throws: ``CommandFailure`` with the status `usage` if there is something in it.
    func make() throws -> Bool {
        let files = FileManager.default
        if files.fileExists(atPath: path) {
            guard let found = try? files.contentsOfDirectory(atPath: path) else {
                throw CommandFailure("\(path) is no folder that can be written to", status: .usage)
            }
            guard found.isEmpty else {
                throw CommandFailure("\(path) isn't empty: name a new folder for the export", status: .usage)
            }
            return false
        }
        do {
            // What people wrote to each other is for whoever exports alone.
            try files.createDirectory(
                atPath: path,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
        } catch {
            throw CommandFailure("\(path) can't be made: \(error.shortDescription)", status: .usage)
        }
        return true
    }

    /// Takes away what was written of an export that wasn't finished.
    func discard(isNew: Bool) {
        let files = FileManager.default
        guard !isNew else {
            try? files.removeItem(atPath: path)
            return
        }
        for name in (try? files.contentsOfDirectory(atPath: path)) ?? [] {
            try? files.removeItem(atPath: "\(path)/\(name)")
        }
    }

    /// Writes a file, and the folders above it if they aren't there.
    func write(_ bytes: [UInt8], to name: String, options: Data.WritingOptions = []) throws {
        let url = url(name)
        let above = url.deletingLastPathComponent()
        if !FileManager.default.fileExists(atPath: above.path) {
            try FileManager.default.createDirectory(at: above, withIntermediateDirectories: true)
        }
        try Data(bytes).write(to: url, options: options)
    }

    /// What a file holds; the file is known to be there.
    func read(_ name: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: url(name))) }

    /// The tile of hashes at `coordinate`; nil if the file has another length.
    func tile(at coordinate: TileCoordinate) throws -> HashTile? {
        let bytes = try read(coordinate.path)
        return HashTile(bytes.span, at: coordinate)
    }
}
