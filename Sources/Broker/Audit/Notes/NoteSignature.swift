internal import Cryptography
internal import LMDB

/// One signature of a note: by whom, and what they computed.
package struct NoteSignature: Hashable, Sendable {
    package var name: NoteKeyName
    /// The key's id.
    package var id: UInt32
    /// The signature as the key's algorithm has it; at least one byte.
    package var bytes: [UInt8]

    package init(name: NoteKeyName, id: UInt32, bytes: [UInt8]) {
        self.name = name
        self.id = id
        self.bytes = bytes
    }

    /// The line without its line end.
    package var line: [UInt8] {
        var line = Self.dash + name.utf8 + [UInt8(ascii: " ")]
        var signed: [UInt8] = []
        signed.append(bigEndian: id)
        signed += bytes
        Base64.append(signed.span, to: &line)
        return line
    }

    /// Reads a line without its line end.
    ///
    /// - Returns: Nil if it isn't the line of a signature.
    init?(line: ArraySlice<UInt8>) {
        guard line.starts(with: Self.dash) else { return nil }
        let parts = line.dropFirst(Self.dash.count)
            .split(separator: UInt8(ascii: " "), maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let name = NoteKeyName(utf8: parts[0]), let signed = Base64.decode(parts[1]) else {
            return nil
        }
        guard signed.count > 4 else { return nil }
        self.init(name: name, id: signed.span.bigEndian(at: 0), bytes: Array(signed[4...]))
    }

    private static let dash = Array("\u{2014} ".utf8)
}

/// A signature that was verified.
package struct VerifiedSignature: Hashable, Sendable {
    package let key: VerifierKey
    /// When a witness signed, in seconds since 1970 in UTC, as it says itself; a log's signature has none.
    package let seconds: UInt64?
}

extension VerifierKey {
    /// Verifies a signature by this key.
    ///
    /// - Returns: Nil if it isn't one of this text.
    func verify(_ signature: NoteSignature, of text: [UInt8]) -> VerifiedSignature? {
        switch algorithm {
        case .ed25519:
            guard publicKey.verify(signature.bytes.span, of: text.span) else { return nil }
            return VerifiedSignature(key: self, seconds: nil)
        case .cosignature:
            guard signature.bytes.count == 8 + Ed25519.signatureByteCount else { return nil }
            let seconds: UInt64 = signature.bytes.span.bigEndian(at: 0)
            guard seconds <= UInt64(Int64.max) else { return nil }
            let message = Self.cosignedMessage(text, seconds: seconds)
            guard publicKey.verify(signature.bytes.span.extracting(droppingFirst: 8), of: message.span) else {
                return nil
            }
            return VerifiedSignature(key: self, seconds: seconds)
        }
    }

    /// What a witness signs (C2SP tlog-cosignature).
    static func cosignedMessage(_ text: [UInt8], seconds: UInt64) -> [UInt8] {
        Array("cosignature/v1\ntime \(seconds)\n".utf8) + text
    }
}
