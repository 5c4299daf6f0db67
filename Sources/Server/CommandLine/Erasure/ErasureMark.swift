import Foundation

/// A file in the data folder that is there from before something is erased until its bytes are gone from all files.
///
/// If it is found, an erasure was interrupted. It says nothing of what: that would be one more trace.
struct ErasureMark: Sendable {
    private let path: String

    init(_ folder: DataFolder) { path = folder.erasing }

    var isThere: Bool { FileManager.default.fileExists(atPath: path) }

    /// What to tell if it is there.
    var warning: String? {
        guard isThere else { return nil }
        return "an erasure was interrupted, and the files may still hold what was to go: run the same "
            + "`quipu audit redact` or `quipu user erase` again"
    }

    /// Returns when it is on disk.
    ///
    /// - Throws: ``CommandFailure`` if it can't be made.
    func set() throws {
        do {
            try Data().write(to: URL(fileURLWithPath: path))
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
            let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
            for file in [path, folder.path] {
                guard let handle = FileHandle(forReadingAtPath: file) else { throw CocoaError(.fileReadNoSuchFile) }
                try handle.synchronize()
                try handle.close()
            }
        } catch {
            throw CommandFailure("nothing was erased: \(path) can't be written: \(error.shortDescription)")
        }
    }

    func remove() throws { try FileManager.default.removeItem(atPath: path) }
}
