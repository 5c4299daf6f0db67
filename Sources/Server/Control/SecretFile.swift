import Foundation

/// A file of the data folder that holds a secret: made on first use, readable by its owner only.
struct SecretFile {
    let url: URL
    /// What others could do with it: `sign tokens`.
    let power: String
    /// What happens if somebody deletes it: `a new key is made at the next start`.
    let loss: String

    init(_ name: String, in folder: URL, power: String, loss: String) {
        url = folder.appendingPathComponent(name, isDirectory: false)
        self.power = power
        self.loss = loss
    }

    var exists: Bool { FileManager.default.fileExists(atPath: url.path) }

    /// What the file holds; what `make` gives, if there is none yet.
    ///
    /// What has just been made is on disk, under its name, when this returns; never in part.
    ///
    /// - Throws: ``SecretFileError`` if others may read it; Foundation's errors if it can't be read or written.
    func read(orMake make: () -> [UInt8]) throws -> [UInt8] {
        if !exists { try create(make()) }
        let attributes = try FileManager.default.attributesOfItem(atPath: url.path)
        guard let mode = (attributes[.posixPermissions] as? NSNumber)?.intValue, mode & 0o077 == 0 else {
            throw SecretFileError(
                "Others may read \(url.path), so they could \(power). If nobody has, `chmod 600` it; else delete it: "
                    + "\(loss)."
            )
        }
        return [UInt8](try Data(contentsOf: url))
    }

    /// What is wrong with the file's content, and what to do about it.
    func failure(_ what: String) -> SecretFileError {
        SecretFileError("\(url.path) \(what). Restore it, or delete it: \(loss).")
    }

    /// Writes the file in a folder that only we can enter, then links it to its name: a link fails if the name is
    /// taken, so that of two starts at once both use the secret of the first.
    private func create(_ bytes: [UInt8]) throws {
        let files = FileManager.default
        let folder = url.deletingLastPathComponent()
        let draftFolder = folder.appendingPathComponent(
            ".\(url.lastPathComponent).\(UUID().uuidString)",
            isDirectory: true
        )
        try files.createDirectory(
            at: draftFolder,
            withIntermediateDirectories: false,
            attributes: [.posixPermissions: 0o700]
        )
        defer { try? files.removeItem(at: draftFolder) }
        let draft = draftFolder.appendingPathComponent(url.lastPathComponent, isDirectory: false)
        try Data(bytes).write(to: draft, options: .withoutOverwriting)
        try files.setAttributes([.posixPermissions: 0o600], ofItemAtPath: draft.path)
        try Self.synchronize(draft)
        do {
            try files.linkItem(at: draft, to: url)
        } catch  where exists {
            return
        }
        try Self.synchronize(folder)
    }

    /// `fsync`, of a file's content or a folder's names.
    private static func synchronize(_ item: URL) throws {
        let handle = try FileHandle(forReadingFrom: item)
        defer { try? handle.close() }
        try handle.synchronize()
    }
}

/// What is wrong with a secret, and what to do about it.
struct SecretFileError: Error, Equatable, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
