import Foundation

/// A folder within the data folder for what is needed during one command: `verify-<id>`.
///
/// Its process holds a lock on it as long as it lives, so that those which a killed one has left can be told from those
/// in use.
final class ScratchFolder: Sendable {
    static let prefix = "verify-"

    let path: String
    private let handle: FileHandle

    /// Makes one, and removes those that nobody uses any more.
    init(in folder: DataFolder) throws {
        Self.removeStale(in: folder)
        while true {
            let path = "\(folder.path)/\(Self.prefix)\(UUID().uuidString)"
            let files = FileManager.default
            try files.createDirectory(
                atPath: path,
                withIntermediateDirectories: false,
                attributes: [.posixPermissions: 0o700]
            )
            // Between these lines somebody may take it for a stale one, and remove it.
            guard let handle = FileHandle(forReadingAtPath: path) else { continue }
            guard flock(handle.fileDescriptor, LOCK_EX | LOCK_NB) == 0, files.fileExists(atPath: path) else { continue }
            self.path = path
            self.handle = handle
            return
        }
    }

    /// Removes it and what is in it.
    func remove() {
        try? FileManager.default.removeItem(atPath: path)
        try? handle.close()
    }

    /// Removes those that killed processes have left; what can't be removed stays.
    static func removeStale(in folder: DataFolder) {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        for entry in entries where entry.hasPrefix(prefix) {
            let path = "\(folder.path)/\(entry)"
            guard let handle = FileHandle(forReadingAtPath: path) else { continue }
            if flock(handle.fileDescriptor, LOCK_EX | LOCK_NB) == 0 {
                try? FileManager.default.removeItem(atPath: path)
            }
            try? handle.close()
        }
    }
}
