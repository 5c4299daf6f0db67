internal import Foundation
internal import LMDB
internal import Synchronization

// What is taken out of a table stays in the file, in pages that are free or half used, until something else happens to
// be written there. So after a redaction the file is written anew, and the new one put in its place.
//
// | directory | what |
// | --- | --- |
// | `log` | the log |
// | `log.compacting` | the new one while it is written |
// | `log.retired-<id>` | the old one between the two renames; it is removed at once |
//
// A crash leaves one of the last two; the next start removes it, or, if it came between the renames, puts the old one
// back. A copy that somebody else has made of the folder, a backup, still has the bytes.

extension EventLog {
    /// Writes the file anew with all that the log holds, and nothing else, and goes on with that.
    ///
    /// Returns when it is on disk and the old one removed. Takes one to three seconds for a million events, as the disk
    /// is, and as much room as the log has until it returns. To be called by the one who appends.
    ///
    /// Reads in progress finish on the old file. Another process that has the log open stays on it: it sees nothing new
    /// any more, and the room is free only when it ends.
    ///
    /// - Throws: `LMDBError`, or what the file system has against it. The log is then as it was.
    package func compact() throws {
        precondition(!isReadOnly, "a log that is only read")
        let old = environment
        let files = FileManager.default
        let building = Self.buildingDirectory(directory)
        try? files.removeItem(atPath: building)
        let new: Environment
        do {
            new = try old.rewrite(to: building)
            try Self.synchronize(building)
            let retired = Self.retiredPrefix(directory) + UUID().uuidString
            try old.move(to: retired)
            do {
                try new.move(to: directory)
            } catch {
                try old.move(to: directory)
                throw error
            }
        } catch {
            try? files.removeItem(atPath: building)
            throw error
        }
        current.withLock { $0 = new }
        try Self.synchronize(Self.parent(of: directory))
        // Whoever reads has it open: it is there for them until they are done.
        try files.removeItem(atPath: old.path)
        try Self.synchronize(Self.parent(of: directory))
    }

    /// Opens the environment in `directory`, after a compaction that a crash has interrupted was finished or undone.
    static func openEnvironment(
        in directory: String,
        options: Environment.Options,
        checksLength: Bool = true
    ) throws -> Environment {
        guard options.isReadOnly else {
            try finishCompaction(in: directory)
            return try Environment(path: directory, options: options)
        }
        // Two files are opened by their paths, and a server may switch them in between. Readers of one file that are
        // noted in the lock of the other would have their pages written over.
        while true {
            let before = fileNumbers(in: directory)
            try requireFile(in: directory)
            let environment = try Environment(path: directory, options: options, checksLength: checksLength)
            if before == fileNumbers(in: directory) { return environment }
        }
    }

    private static func finishCompaction(in directory: String) throws {
        let files = FileManager.default
        let parent = parent(of: directory)
        let prefix = URL(fileURLWithPath: retiredPrefix(directory)).lastPathComponent
        var retired = ((try? files.contentsOfDirectory(atPath: parent)) ?? []).filter { $0.hasPrefix(prefix) }
        func written(_ name: String) -> Date {
            let attributes = try? files.attributesOfItem(atPath: "\(parent)/\(name)/data.mdb")
            return attributes?[.modificationDate] as? Date ?? .distantPast
        }
        retired.sort { written($0) < written($1) }
        if !files.fileExists(atPath: directory + "/data.mdb"), let old = retired.popLast() {
            try? files.removeItem(atPath: directory)
            try files.moveItem(atPath: "\(parent)/\(old)", toPath: directory)
        }
        // They hold what was erased.
        for old in retired { try files.removeItem(atPath: "\(parent)/\(old)") }
        let building = buildingDirectory(directory)
        if files.fileExists(atPath: building) { try files.removeItem(atPath: building) }
    }

    private static func buildingDirectory(_ directory: String) -> String { directory + ".compacting" }

    private static func retiredPrefix(_ directory: String) -> String { directory + ".retired-" }

    private static func parent(of directory: String) -> String {
        URL(fileURLWithPath: directory).deletingLastPathComponent().path
    }

    /// What tells the files of an environment from others of the same names.
    private static func fileNumbers(in directory: String) -> [Int?] {
        ["data.mdb", "lock.mdb"].map { name in
            let attributes = try? FileManager.default.attributesOfItem(atPath: "\(directory)/\(name)")
            return (attributes?[.systemFileNumber] as? NSNumber)?.intValue
        }
    }

    /// Returns when the entries of a directory are on disk.
    private static func synchronize(_ directory: String) throws {
        guard let file = FileHandle(forReadingAtPath: directory) else {
            throw CocoaError(.fileReadNoSuchFile, userInfo: [NSFilePathErrorKey: directory])
        }
        try file.synchronize()
        try file.close()
    }
}
