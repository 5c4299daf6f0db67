internal import LMDB

/// Text as it stands between the quotes of a JSON string (RFC 8259, section 7).
///
/// Only what must be escaped is: `"`, `\` and the characters below U+0020. Runs of anything else are found eight bytes
/// at a time and copied whole, because most messages are one such run.
package enum JSONEscape {
    /// Appends `utf8`, escaped, without quotes around it.
    ///
    /// It must be well-formed; this isn't checked.
    package static func append(_ utf8: Span<UInt8>, to bytes: inout [UInt8]) {
        var start = 0
        while true {
            let end = plainEnd(of: utf8, from: start)
            bytes.append(utf8.extracting(start..<end))
            guard end < utf8.count else { return }
            let escape = Escape(utf8[end])
            bytes.append(UInt8(ascii: "\\"))
            bytes.append(escape.letter)
            if let digits = escape.digits {
                bytes.append(contentsOf: [UInt8(ascii: "0"), UInt8(ascii: "0"), digits.high, digits.low])
            }
            start = end + 1
        }
    }

    /// The index of the first byte from `start` on that can't stand in a JSON string as it is; `count` if there is
    /// none.
    ///
    /// That is also where a reader of a JSON string has to look closer, so the scanner of client frames uses it too.
    package static func plainEnd(of utf8: Span<UInt8>, from start: Int) -> Int {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highBits = ones &* 0x80
        var index = start
        while index <= utf8.count &- 8 {
            let word: UInt64 = utf8.littleEndian(at: index)
            let quote = word ^ (ones &* 0x22)
            let backslash = word ^ (ones &* 0x5c)
            // Each term has the high bit of every byte that it looks for, if that byte is ASCII. A borrow can set one
            // too many, but only above a true one, so the lowest is right. Source: Anderson, "Bit Twiddling Hacks".
            let found = (word &- (ones &* 0x20)) | (quote &- ones) | (backslash &- ones)
            let hits = found & ~word & highBits
            if hits != 0 { return index &+ hits.trailingZeroBitCount >> 3 }
            index &+= 8
        }
        while index < utf8.count, isPlain(utf8[index]) { index &+= 1 }
        return index
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
    }

    /// What follows the backslash: a letter, and after `u` four hexadecimal digits, the first two of which are 0.
    package struct Escape {
        package let letter: UInt8
        package let digits: (high: UInt8, low: UInt8)?

        package init(_ byte: UInt8) {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): letter = byte
            case 0x08: letter = UInt8(ascii: "b")
            case 0x09: letter = UInt8(ascii: "t")
            case 0x0a: letter = UInt8(ascii: "n")
            case 0x0c: letter = UInt8(ascii: "f")
            case 0x0d: letter = UInt8(ascii: "r")
            default:
                letter = UInt8(ascii: "u")
                digits = (Self.digit(byte >> 4), Self.digit(byte & 15))
                return
            }
            digits = nil
        }

        private static func digit(_ value: UInt8) -> UInt8 {
            value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
        }
    }
}
