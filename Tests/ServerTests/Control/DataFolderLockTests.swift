import Foundation
import Testing

@testable import Server

struct DataFolderLockTests {
    private let base = NSTemporaryDirectory() + "quipu-lock-" + UUID().uuidString
    private var folder: DataFolder { DataFolder(base + "/deep/") }

    @Test func `the second one is told who has the folder`() throws {
        defer { try? FileManager.default.removeItem(atPath: base) }
        let lock = try DataFolderLock(folder, command: "quipu serve")
        defer { lock.release() }
        let pid = getpid()
        #expect(
            refusal(of: folder) == "the data folder \(folder.path) is in use by process \(pid), which runs "
                + "`quipu serve`: stop it first or name another folder with --data"
        )
        try lock.announce(address: "http://127.0.0.1:8080")
        #expect(
            refusal(of: folder) == "the data folder \(folder.path) is in use by process \(pid), which serves "
                + "http://127.0.0.1:8080: stop it first or name another folder with --data"
        )
    }

    @Test func `a command that has the folder is waited for, not stopped`() throws {
        defer { try? FileManager.default.removeItem(atPath: base) }
        let lock = try DataFolderLock(folder, command: "quipu replay")
        defer { lock.release() }
        #expect(refusal(of: folder)?.contains("wait until it is done or name another folder") == true)
    }

    @Test func `a folder given back can be had again, and what the last one wrote is gone`() throws {
        defer { try? FileManager.default.removeItem(atPath: base) }
        let first = try DataFolderLock(folder, command: "quipu serve")
        try first.announce(address: "http://a.rather.long.name.example.org:12345")
        first.release()
        let second = try DataFolderLock(folder, command: "quipu x")
        defer { second.release() }
        #expect(DataFolderLock.holder(of: folder) == LockHolder(pid: getpid(), command: "quipu x"))
    }

    @Test func `a refused lock changes nothing`() throws {
        defer { try? FileManager.default.removeItem(atPath: base) }
        let lock = try DataFolderLock(folder, command: "quipu serve")
        defer { lock.release() }
        #expect(throws: DataFolderInUse.self) { try DataFolderLock(folder, command: "quipu other") }
        #expect(DataFolderLock.holder(of: folder)?.command == "quipu serve")
    }

    @Test func `nobody else may enter the folder`() throws {
        defer { try? FileManager.default.removeItem(atPath: base) }
        let lock = try DataFolderLock(folder, command: "quipu serve")
        defer { lock.release() }
        #expect(try mode(folder.path) == 0o700)
        #expect(try mode(folder.lock) == 0o600)
    }

    @Test func `a folder that can't be made is an error in words`() {
        let failure = #expect(throws: CommandFailure.self) {
            try DataFolderLock(DataFolder("/dev/null/x"), command: "c")
        }
        #expect(failure?.message.hasPrefix("the data folder /dev/null/x can't be made: ") == true)
    }

    @Test(arguments: [("data", "data"), ("data/", "data"), ("/a/b//", "/a/b"), ("/", "/")])
    func `a slash at the end doesn't matter`(given: String, path: String) {
        #expect(DataFolder(given).path == path)
    }

    private func refusal(of folder: DataFolder) -> String? {
        #expect(throws: DataFolderInUse.self) { try DataFolderLock(folder, command: "quipu serve") }?.description
    }
}

/// The permissions of what is at `path`.
func mode(_ path: String) throws -> Int? {
    (try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? NSNumber)?.intValue
}
