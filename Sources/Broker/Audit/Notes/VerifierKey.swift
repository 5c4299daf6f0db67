package import Cryptography
internal import LMDB

/// Why a text is no verifier key or signing key.
package enum NoteKeyError: Error, Hashable, CustomStringConvertible {
    /// Not `name+id+key`.
    case parts
    case name
    /// Not eight lower-case hexadecimal digits.
    case id
    /// Not base 64, or not as long as a key of its algorithm.
    case key
    case unknownAlgorithm(UInt8)
    /// The name and the key give another id: one of the three was changed.
    case idMismatch

    package var description: String {
        switch self {
        case .parts: "a verifier key has the form name+id+key"
        case .name: "the key's name is empty, or has a space, a plus or a control character in it"
        case .id: "the key's id isn't eight lower-case hexadecimal digits"
        case .key: "the key isn't the base 64 of an Ed25519 key with its algorithm"
        case .unknownAlgorithm(let algorithm): "keys of algorithm \(algorithm) are unknown; 1 is Ed25519"
        case .idMismatch: "the key's id belongs to another name or key"
        }
    }
}

/// What verifies the signatures of one key on notes (C2SP signed-note, tlog-cosignature).
///
/// As text: `log.example/chat-1+e5daba64+AYZoNmHnwUuPVk479Dmaz0JgsYl+Muxcs4r8LNe54Ebm`.
package struct VerifierKey: Hashable, Sendable, CustomStringConvertible {
    /// What is signed, and how; the raw value is the format's.
    package enum Algorithm: UInt8, Sendable {
        /// The note's text, with Ed25519: how a log signs.
        case ed25519 = 1
        /// A time and a checkpoint's text, with Ed25519: how a witness signs.
        case cosignature = 4
    }

    package let name: NoteKeyName
    package let algorithm: Algorithm
    package let publicKey: Ed25519.PublicKey
    /// What signatures name the key by, together with its name: 4 bytes of SHA-256 over name, algorithm and key.
    package let id: UInt32

    package init(name: NoteKeyName, algorithm: Algorithm = .ed25519, publicKey: Ed25519.PublicKey) {
        self.name = name
        self.algorithm = algorithm
        self.publicKey = publicKey
        let hashed = name.utf8 + [UInt8(ascii: "\n"), algorithm.rawValue] + publicKey.bytes
        id = UInt32(truncatingIfNeeded: SHA256.hash(hashed.span).first16Bytes.0 >> 32)
    }

    /// Reads a key as ``description`` writes it.
    ///
    /// - Throws: ``NoteKeyError``.
    package init(_ text: String) throws(NoteKeyError) {
        let (name, id, material) = try Self.parts(Array(text.utf8))
        guard let number = material.first else { throw .key }
        guard let algorithm = Algorithm(rawValue: number) else { throw .unknownAlgorithm(number) }
        guard let publicKey = Ed25519.PublicKey(bytes: material.span.extracting(droppingFirst: 1)) else { throw .key }
        self.init(name: name, algorithm: algorithm, publicKey: publicKey)
        guard id == self.id else { throw .idMismatch }
    }

    /// `name+id+key`: what to give to whoever wants to verify.
    package var description: String { Self.text(name: name, id: id, material: [algorithm.rawValue] + publicKey.bytes) }

    /// Name and id, as errors show a key.
    var title: String { "\(name)+\(Self.hexadecimal(id))" }

    /// The three parts of a key's text, the last out of base 64.
    static func parts(_ text: [UInt8]) throws(NoteKeyError) -> (name: NoteKeyName, id: UInt32, material: [UInt8]) {
        // A plus may be in base 64, not in a name.
        let parts = text.split(separator: UInt8(ascii: "+"), maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3 else { throw .parts }
        guard let name = NoteKeyName(utf8: parts[0]) else { throw .name }
        guard let id = UInt32(String(decoding: parts[1], as: UTF8.self), radix: 16),
            hexadecimal(id).utf8.elementsEqual(parts[1])
        else { throw .id }
        guard let material = Base64.decode(parts[2]) else { throw .key }
        return (name, id, material)
    }

    static func text(name: NoteKeyName, id: UInt32, material: [UInt8]) -> String {
        "\(name)+\(hexadecimal(id))+\(Base64.encode(material.span))"
    }

    private static func hexadecimal(_ id: UInt32) -> String {
        let digits = String(id, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }
}
