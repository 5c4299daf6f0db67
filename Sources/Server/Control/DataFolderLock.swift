import Foundation
import Synchronization

/// Who has a data folder, as the lock file says.
struct LockHolder: Codable, Equatable, Sendable {
    var pid: Int32
    /// The command, as in `quipu serve`.
    var command: String
    /// Where it serves, as in `http://127.0.0.1:8080`; nil until it does, and for a command that serves nothing.
    var address: String?
}

/// One process has a data folder, for as long as it lives: a lock on the file `lock` in it.
///
/// The kernel gives the lock up when the process ends, however it ends, so there is no stale one. The file stays: were
/// it removed, two processes could lock two files of one name.
final class DataFolderLock: Sendable {
    let folder: DataFolder
    private let holder: Mutex<LockHolder>
    private let file: FileHandle

    /// Takes the lock; makes the folder if it isn't there.
    ///
    /// `command` is what the process does (`quipu serve`), for whoever finds the folder in use.
    ///
    /// - Throws: ``DataFolderInUse`` if another process has it; ``CommandFailure`` if there can be no lock.
    init(_ folder: DataFolder, command: String) throws {
        self.folder = folder
        try folder.make()
        file = try Self.open(folder)
        guard flock(file.fileDescriptor, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            guard code == EWOULDBLOCK else {
                throw CommandFailure("the lock \(folder.lock) can't be had: \(POSIXError.describe(code))")
            }
            throw DataFolderInUse(folder: folder, holder: Self.holder(of: folder))
        }
        holder = Mutex(LockHolder(pid: getpid(), command: command))
        try write()
    }

    /// Tells where the process serves.
    func announce(address: String) throws {
        holder.withLock { $0.address = address }
        try write()
    }

    /// Gives the folder back before the process ends.
    func release() { try? file.close() }

    /// Who has the folder; nil if nobody ever did or the file is just being written.
    static func holder(of folder: DataFolder) -> LockHolder? {
        guard let data = FileManager.default.contents(atPath: folder.lock) else { return nil }
        return try? JSONDecoder().decode(LockHolder.self, from: data)
    }

    private func write() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let data = try encoder.encode(holder.withLock { $0 })
        try file.truncate(atOffset: 0)
        try file.write(contentsOf: data + Data("\n".utf8))
    }

    private static func open(_ folder: DataFolder) throws -> FileHandle {
        let url = URL(fileURLWithPath: folder.lock)
        do {
            if !FileManager.default.fileExists(atPath: folder.lock) {
                // Never over a file that somebody else makes at the same moment: it may be locked already.
                try? Data().write(to: url, options: .withoutOverwriting)
                try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: folder.lock)
            }
            let file = try FileHandle(forUpdating: url)
            // A child process must not keep the lock.
            _ = fcntl(file.fileDescriptor, F_SETFD, FD_CLOEXEC)
            return file
        } catch {
            throw CommandFailure("the lock \(folder.lock) can't be opened: \(error.shortDescription)")
        }
    }
}

/// Another process has the data folder.
struct DataFolderInUse: Error, Equatable, CustomStringConvertible {
    var folder: DataFolder
    /// Nil if the lock file doesn't say.
    var holder: LockHolder?

    /// Whether a server has it, which takes commands or soon will.
    var isServer: Bool { holder?.command == "quipu serve" }

    var description: String {
        let remedy = isServer ? "stop it first" : "wait until it is done"
        return "the data folder \(folder.path) is in use by \(who): \(remedy) or name another folder with --data"
    }

    private var who: String {
        guard let holder else { return "another process" }
        if let address = holder.address { return "process \(holder.pid), which serves \(address)" }
        return "process \(holder.pid), which runs `\(holder.command)`"
    }
}

extension POSIXError {
    static func describe(_ code: Int32) -> String {
        Code(rawValue: code).map { POSIXError($0).localizedDescription } ?? "error \(code)"
    }
}
