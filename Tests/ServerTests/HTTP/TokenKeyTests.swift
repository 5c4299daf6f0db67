import Foundation
import Testing

@testable import Server

@Suite final class TokenKeyTests {
    private let folder: URL
    private var file: URL { folder.appendingPathComponent(TokenKey.fileName) }

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("quipu-key-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
    }

    deinit {
        try? FileManager.default.removeItem(at: folder)
    }

    @Test func `a first start makes a key that only its owner may read, and later starts find it`() throws {
        let key = try TokenKey(folder: folder)
        #expect(key.bytes.count == 32)
        #expect([UInt8](try Data(contentsOf: file)) == key.bytes)
        let attributes = try FileManager.default.attributesOfItem(atPath: file.path)
        #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [TokenKey.fileName])
        #expect(try TokenKey(folder: folder) == key)
    }

    @Test func `two folders have two keys`() throws {
        let first = try TokenKey(folder: folder)
        try FileManager.default.removeItem(at: file)
        #expect(try TokenKey(folder: folder) != first)
    }

    @Test func `starts at once agree on one key`() async throws {
        let folder = folder
        let keys = try await withThrowingTaskGroup(of: [UInt8].self) { tasks in
            for _ in 0..<32 { tasks.addTask { try TokenKey(folder: folder).bytes } }
            return try await tasks.reduce(into: Set<[UInt8]>()) { $0.insert($1) }
        }
        #expect(keys.count == 1)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [TokenKey.fileName])
    }

    @Test(arguments: [0o640, 0o604, 0o644, 0o620, 0o601])
    func `a key that others may touch is refused with the remedy`(mode: Int) throws {
        _ = try TokenKey(folder: folder)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file.path)
        let error = #expect(throws: SecretFileError.self) { try TokenKey(folder: folder) }
        #expect(error?.description.contains("chmod 600") == true)
    }

    @Test(arguments: [0, 1, 31, 33, 4_096])
    func `a file that holds no key is refused`(bytes: Int) throws {
        try Data(count: bytes).write(to: file)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file.path)
        let error = #expect(throws: SecretFileError.self) { try TokenKey(folder: folder) }
        #expect(error?.description.contains("\(bytes) bytes") == true)
    }

    @Test func `a folder that isn't there is an error`() {
        #expect(throws: (any Error).self) { try TokenKey(folder: folder.appendingPathComponent("none")) }
    }

    @Test func `a given key needs 32 bytes`() throws {
        #expect(throws: SecretFileError.self) { try TokenKey([UInt8](repeating: 1, count: 31)) }
        #expect(try TokenKey([UInt8](repeating: 1, count: 32)).bytes.count == 32)
        #expect(try TokenKey([UInt8](repeating: 1, count: 100)).bytes.count == 100)
    }
}
