internal import Cryptography
package import LMDB

/// 16 bytes that name an account, a stream or a room; equal when all bytes are, ordered as their bytes are.
package struct Identifier: Hashable, Comparable, Sendable, BitwiseCopyable, CustomStringConvertible {
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

    /// Reads the 16 bytes that begin at `offset`.
    ///
    /// Traps past the end.
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
        self.init(utf8: bytes.span)
    }

    /// Reads 32 hexadecimal digits, with or without a UUID's hyphens.
    ///
    /// Digit by digit, because a message to a room names it so.
    package init?(utf8: Span<UInt8>) {
        guard utf8.count == 32 || utf8.count == 36 else { return nil }
        var words: (UInt64, UInt64) = (0, 0)
        for index in utf8.indices {
            if utf8.count == 36, Self.isHyphen(at: index) {
                guard utf8[index] == UInt8(ascii: "-") else { return nil }
                continue
            }
            guard let digit = Self.value(ofDigit: utf8[index]) else { return nil }
            words = (words.0 << 4 | words.1 >> 60, words.1 << 4 | digit)
        }
        self.init(high: words.0, low: words.1)
    }

    package func append(to bytes: inout [UInt8]) {
        bytes.append(bigEndian: high)
        bytes.append(bigEndian: low)
    }

    /// 32 lower-case hexadecimal digits.
    package var description: String { text(length: 32) }

    /// The text of a UUID: 8-4-4-4-12 lower-case hexadecimal digits.
    package var uuidText: String { text(length: 36) }

    /// A new random id with the version and variant bits of a UUID (RFC 9562, version 4).
    package static func randomUUID() -> Identifier {
        var id = random()
        id.high = id.high & ~0xf000 | 0x4000
        id.low = id.low & ~(3 << 62) | 2 << 62
        return id
    }

    // Written out so that it can be inlined where rows are looked through.
    @inlinable
    package static func == (left: Identifier, right: Identifier) -> Bool {
        left.high == right.high && left.low == right.low
    }

    /// Goes by the last 8 bytes alone: an id is random or a hash, so they tell nearly all apart, and every message is
    /// looked up by some ids.
    package func hash(into hasher: inout Hasher) { hasher.combine(low) }

    @inlinable
    package static func < (left: Identifier, right: Identifier) -> Bool {
        left.high != right.high ? left.high < right.high : left.low < right.low
    }

    /// The digits, with hyphens if there is room for them.
    private func text(length: Int) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(length)
        var words = (high, low)
        for index in 0..<length {
            if length == 36, Self.isHyphen(at: index) {
                bytes.append(UInt8(ascii: "-"))
                continue
            }
            let digit = UInt8(truncatingIfNeeded: words.0 >> 60)
            bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
            words = (words.0 << 4 | words.1 >> 60, words.1 << 4)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Whether a UUID's text has a hyphen there.
    private static func isHyphen(at index: Int) -> Bool { index == 8 || index == 13 || index == 18 || index == 23 }

    private static func value(ofDigit byte: UInt8) -> UInt64? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(byte - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(byte - UInt8(ascii: "A") + 10)
        default: nil
        }
    }
}

/// Who acts: a registered account or a guest.
package typealias AccountID = Identifier
/// A conversation, a room or an account: what revisions are counted in.
package typealias StreamID = Identifier
/// A room; its stream has the same id.
package typealias RoomID = Identifier

extension StreamID {
    /// The stream of what the server says about itself: 15 zero bytes and a 1.
    ///
    /// Fixed and in the log: it never changes. No random id comes out as this one.
    package static let system = StreamID(high: 0, low: 1)

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
