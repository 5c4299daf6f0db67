import Broker
import Cryptography
import Foundation
import Testing

@testable import Server

@Suite final class AuditKeyTests {
    private let url: URL
    private let identity = LogIdentity(id: .random(), epoch: 1)
    private var folder: DataFolder { DataFolder(url.path) }
    private var file: URL { url.appendingPathComponent(AuditKey.fileName) }

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("quipu-audit-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
    }

    deinit {
        try? FileManager.default.removeItem(at: url)
    }

    @Test func `a first start makes a key that only its owner may read, and later starts find it`() throws {
        let key = try AuditKey(folder: folder, log: identity)
        #expect(key.verifierKey.name.description == "quipu/\(identity.id)")
        let attributes = try FileManager.default.attributesOfItem(atPath: file.path)
        #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
        #expect(try String(contentsOf: file, encoding: .utf8).hasPrefix("PRIVATE+KEY+quipu/\(identity.id)+"))
        #expect(try AuditKey(folder: folder, log: identity).verifierKey == key.verifierKey)
    }

    @Test func `a later epoch of the log has the same key`() throws {
        let key = try AuditKey(folder: folder, log: identity)
        let later = LogIdentity(id: identity.id, epoch: 7)
        #expect(try AuditKey(folder: folder, log: later).verifierKey == key.verifierKey)
    }

    @Test func `what it signs verifies as a checkpoint of this log, and of no other`() throws {
        let key = try AuditKey(folder: folder, log: identity)
        let note = key.checkpoint(of: TreeHead(size: 0, root: MerkleTree.emptyRoot))
        let verified = try VerifiedCheckpoint(SignedNote(note.encode()), logKey: key.verifierKey)
        #expect(verified.checkpoint.size == 0)
        #expect(verified.checkpoint.root == MerkleTree.emptyRoot)
        try FileManager.default.removeItem(at: file)
        let other = try AuditKey(folder: folder, log: identity)
        #expect(throws: CheckpointError.self) { try VerifiedCheckpoint(note, logKey: other.verifierKey) }
    }

    @Test func `the key of another log is refused with the remedy`() throws {
        _ = try AuditKey(folder: folder, log: identity)
        let error = #expect(throws: SecretFileError.self) {
            try AuditKey(folder: folder, log: LogIdentity(id: .random(), epoch: 1))
        }
        #expect(error?.description.contains("is the key of quipu/\(identity.id)") == true)
    }

    @Test(arguments: ["", "\n", "PRIVATE+KEY+quipu/1+00000000+AAAA\n", "nothing"])
    func `a file that holds no key is refused`(text: String) throws {
        try Data(text.utf8).write(to: file)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file.path)
        #expect(throws: SecretFileError.self) { try AuditKey(folder: folder, log: identity) }
    }

    @Test func `a key that others may read is refused`() throws {
        _ = try AuditKey(folder: folder, log: identity)
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: file.path)
        let error = #expect(throws: SecretFileError.self) { try AuditKey(folder: folder, log: identity) }
        #expect(error?.description.contains("sign checkpoints") == true)
    }
}
