package import Cryptography
internal import LMDB

/// Base 64 (RFC 4648, section 4), read strictly: padded, no line ends, and the bits that no byte needs are zero.
///
/// Foundation's and Go's decoders let those bits be anything, so that a changed signature could still read the same.
package enum Base64 {
    private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let padding = UInt8(ascii: "=")

    /// Appends the text of `bytes`.
    package static func append(_ bytes: Span<UInt8>, to text: inout [UInt8]) {
        // Not asked for anew with each character.
        let digits = Self.digits
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let count = min(3, bytes.count - start)
            var word: UInt32 = 0
            for index in 0..<3 { word = word << 8 | (index < count ? UInt32(bytes[start + index]) : 0) }
            for index in 0..<4 { text.append(index <= count ? digits[Int(word >> (18 - 6 * index) & 63)] : padding) }
        }
    }

    /// The text of `bytes`.
    package static func encode(_ bytes: Span<UInt8>) -> String {
        var text: [UInt8] = []
        append(bytes, to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// The bytes whose text is `text`.
    ///
    /// - Returns: Nil if it is the text of none.
    package static func decode(_ text: some RandomAccessCollection<UInt8>) -> [UInt8]? {
        // The loop is over one type: in another module's name, it would ask the collection for each byte.
        let text = Array(text)
        return decode(text.span)
    }

    private static func decode(_ text: Span<UInt8>) -> [UInt8]? {
        guard text.count % 4 == 0 else { return nil }
        var end = text.count
        while end > 0, text.count - end < 2, text[end - 1] == padding { end -= 1 }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 4 * 3)
        var bits: UInt32 = 0
        var bitCount = 0
        for index in 0..<end {
            guard let value = value(of: text[index]) else { return nil }
            bits = bits << 6 | value
            bitCount += 6
            guard bitCount >= 8 else { continue }
            bitCount -= 8
            bytes.append(UInt8(truncatingIfNeeded: bits >> bitCount))
            bits &= 1 << bitCount - 1
        }
        return bits == 0 ? bytes : nil
    }

    private static func value(of digit: UInt8) -> UInt32? {
        switch digit {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(digit - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(digit - UInt8(ascii: "a") + 26)
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(digit - UInt8(ascii: "0") + 52)
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}

extension Digest {
    /// Reads the 44 characters of base 64 that stand for 32 bytes.
    package init?(base64 text: some RandomAccessCollection<UInt8>) {
        guard let bytes = Base64.decode(text) else { return nil }
        self.init(bytes.span)
    }

    /// 44 characters of base 64.
    package var base64: String { Base64.encode(bytes.span) }
}
