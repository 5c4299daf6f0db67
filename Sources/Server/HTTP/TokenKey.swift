import Cryptography
import Foundation

/// The 32 bytes or more that sign tokens: given by the configuration, or made at random on first start and kept in the
/// data folder, readable by its owner only.
struct TokenKey: Sendable, Equatable {
    let bytes: [UInt8]

    /// The shortest key: HS256 asks for one as long as the hash (RFC 7518 §3.2).
    static let minBytes = 32
    /// The name of the file in the data folder.
    static let fileName = "token.key"

    /// Takes a key that the configuration gives.
    ///
    /// - Throws: ``TokenKeyError`` if it is shorter than ``minBytes``.
    init(_ bytes: [UInt8]) throws(TokenKeyError) {
        guard bytes.count >= Self.minBytes else {
            throw TokenKeyError("The token key has \(bytes.count) bytes and needs \(Self.minBytes) or more.")
        }
        self.bytes = bytes
    }

    /// Loads the key of the data folder, which must exist; makes one if there is none.
    ///
    /// A key that has just been made is on disk, under its name, when this returns; never in part.
    ///
    /// - Throws: ``TokenKeyError`` if the file holds no key or others may read it; Foundation's errors if it can't be
    ///   read or written.
    init(folder: URL) throws {
        let file = folder.appendingPathComponent(Self.fileName, isDirectory: false)
        if !FileManager.default.fileExists(atPath: file.path) {
            try Self.create(file, in: folder)
        }
        try self.init(file: file)
    }

    private init(file: URL) throws {
        let attributes = try FileManager.default.attributesOfItem(atPath: file.path)
        guard let mode = (attributes[.posixPermissions] as? NSNumber)?.intValue, mode & 0o077 == 0 else {
            throw TokenKeyError(
                "Others may read \(file.path), so they could sign tokens. If nobody has, `chmod 600` it; else delete "
                    + "it: a new key is made at the next start, and everybody has to log in again."
            )
        }
        let bytes = [UInt8](try Data(contentsOf: file))
        guard bytes.count == Self.minBytes else {
            throw TokenKeyError(
                "\(file.path) has \(bytes.count) bytes where a token key has \(Self.minBytes). Restore it, or delete "
                    + "it: a new key is made at the next start, and everybody has to log in again."
            )
        }
        self.bytes = bytes
    }

    /// Writes the file in a folder that only we can enter, then links it to its name: a link fails if the name is
    /// taken, so that of two starts at once both use the key of the first.
    private static func create(_ file: URL, in folder: URL) throws {
        let files = FileManager.default
        let draftFolder = folder.appendingPathComponent(".\(fileName).\(UUID().uuidString)", isDirectory: true)
        try files.createDirectory(
            at: draftFolder,
            withIntermediateDirectories: false,
            attributes: [.posixPermissions: 0o700]
        )
        defer { try? files.removeItem(at: draftFolder) }
        let draft = draftFolder.appendingPathComponent(fileName, isDirectory: false)
        try Data(Randomness.bytes(minBytes)).write(to: draft, options: .withoutOverwriting)
        try files.setAttributes([.posixPermissions: 0o600], ofItemAtPath: draft.path)
        try synchronize(draft)
        do {
            try files.linkItem(at: draft, to: file)
        } catch  where files.fileExists(atPath: file.path) {
            return
        }
        try synchronize(folder)
    }

    /// `fsync`, of a file's content or a folder's names.
    private static func synchronize(_ item: URL) throws {
        let handle = try FileHandle(forReadingFrom: item)
        defer { try? handle.close() }
        try handle.synchronize()
    }
}

/// What is wrong with the token key, and what to do about it.
struct TokenKeyError: Error, Equatable, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
