internal import Cryptography
package import LMDB

/// 16 bytes that name an account, a stream or a room; equal when all bytes are, ordered as their bytes are.
package struct Identifier: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The first and the last 8 bytes, read big-endian.
    package var high: UInt64
    package var low: UInt64

    /// 16 zero bytes: nobody, nothing.
    package static let none = Identifier(high: 0, low: 0)
    package static let byteCount = 16

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Reads the 16 bytes that begin at `offset`. Traps past the end.
    package init(_ bytes: Span<UInt8>, at offset: Int = 0) {
        high = bytes.bigEndian(at: offset)
        low = bytes.bigEndian(at: offset + 8)
    }

    /// A new one, from libcrypto's generator.
    package static func random() -> Identifier {
        let words = Randomness.words()
        return Identifier(high: words.0, low: words.1)
    }

    /// Reads 32 hexadecimal digits, with or without a UUID's hyphens.
    package init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        let digits: [UInt8]
        switch bytes.count {
        case 32: digits = bytes
        case 36:
            guard [8, 13, 18, 23].allSatisfy({ bytes[$0] == UInt8(ascii: "-") }) else { return nil }
            digits = bytes.filter { $0 != UInt8(ascii: "-") }
        default: return nil
        }
        guard digits.count == 32, digits.allSatisfy({ Character(UnicodeScalar($0)).isHexDigit }) else { return nil }
        guard let high = UInt64(String(decoding: digits[..<16], as: UTF8.self), radix: 16),
            let low = UInt64(String(decoding: digits[16...], as: UTF8.self), radix: 16)
        else { return nil }
        self.init(high: high, low: low)
    }

    package func append(to bytes: inout [UInt8]) {
        bytes.append(bigEndian: high)
        bytes.append(bigEndian: low)
    }

    /// 32 lower-case hexadecimal digits.
    package var description: String { Self.hexadecimal(high) + Self.hexadecimal(low) }

    /// The text of a UUID: 8-4-4-4-12 lower-case hexadecimal digits.
    package var uuidText: String {
        let digits = Array(description)
        return [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(digits[$0]) }.joined(separator: "-")
    }

    /// A new random id with the version and variant bits of a UUID (RFC 9562, version 4).
    package static func randomUUID() -> Identifier {
        var id = random()
        id.high = id.high & ~0xf000 | 0x4000
        id.low = id.low & ~(3 << 62) | 2 << 62
        return id
    }

    package static func < (left: Identifier, right: Identifier) -> Bool {
        left.high != right.high ? left.high < right.high : left.low < right.low
    }

    private static func hexadecimal(_ word: UInt64) -> String {
        let digits = String(word, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

/// Who acts: a registered account or a guest.
package typealias AccountID = Identifier
/// A conversation, a room or an account: what revisions are counted in.
package typealias StreamID = Identifier
/// A room; its stream has the same id.
package typealias RoomID = Identifier

extension StreamID {
    /// The stream of the direct conversation of two accounts, whoever asks: the first 16 bytes of SHA-256 over the two
    /// ids in order.
    package static func conversation(_ one: AccountID, _ other: AccountID) -> StreamID {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(2 * byteCount)
        min(one, other).append(to: &bytes)
        max(one, other).append(to: &bytes)
        let words = SHA256.hash(bytes.span).first16Bytes
        return StreamID(high: words.0, low: words.1)
    }
}

extension Key {
    /// Appends the 16 bytes of `id`.
    package mutating func append(_ id: Identifier) {
        append(id.high)
        append(id.low)
    }
}
