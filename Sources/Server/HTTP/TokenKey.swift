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
    /// - Throws: ``SecretFileError`` if it is shorter than ``minBytes``.
    init(_ bytes: [UInt8]) throws(SecretFileError) {
        guard bytes.count >= Self.minBytes else {
            throw SecretFileError("The token key has \(bytes.count) bytes and needs \(Self.minBytes) or more.")
        }
        self.bytes = bytes
    }

    /// Loads the key of the data folder, which must exist; makes one if there is none.
    ///
    /// - Throws: ``SecretFileError`` if the file holds no key or others may read it; Foundation's errors if it can't be
    ///   read or written.
    init(folder: URL) throws {
        let file = SecretFile(
            Self.fileName,
            in: folder,
            power: "sign tokens",
            loss: "a new key is made at the next start, and everybody has to log in again"
        )
        bytes = try file.read { Randomness.bytes(Self.minBytes) }
        guard bytes.count == Self.minBytes else {
            throw file.failure("has \(bytes.count) bytes where a token key has \(Self.minBytes)")
        }
    }
}
