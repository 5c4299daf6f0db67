import Broker

extension JSONCursor {
    /// A string in the text.
    struct StringToken {
        /// Where it stands, without its quotes.
        let range: Range<Int>
        /// How long it is in UTF-8 without its escapes.
        let decodedBytes: Int

        /// Every escape is longer than what it stands for.
        var hasEscapes: Bool { decodedBytes != range.count }
    }

    /// Takes a string, which must come next.
    @inline(__always)
    mutating func string() throws(BadRequest) -> StringToken {
        try expect(UInt8(ascii: "\""))
        let start = position
        position = JSONEscape.plainEnd(of: bytes, from: start)
        if position < bytes.count, bytes[position] == UInt8(ascii: "\"") {
            position &+= 1
            return StringToken(range: start..<position &- 1, decodedBytes: position &- 1 &- start)
        }
        return try restOfString(from: start)
    }

    /// Takes the rest of a string that begins at `start` and has something to look at where the cursor is.
    private mutating func restOfString(from start: Int) throws(BadRequest) -> StringToken {
        var decodedBytes = position - start
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                position += 1
                return StringToken(range: start..<position - 1, decodedBytes: decodedBytes)
            case UInt8(ascii: "\\"):
                guard let escape = escape(at: position) else {
                    throw .notJSON("a known escape after the backslash", at: position)
                }
                decodedBytes += UTF8.width(escape.scalar)
                position += escape.length
            default: throw .notJSON("an escape, as control characters must have,", at: position)
            }
            let end = JSONEscape.plainEnd(of: bytes, from: position)
            decodedBytes += end - position
            position = end
        }
        throw .notJSON("the end of a string", at: position)
    }

    /// The UTF-8 of a string without its escapes; half a surrogate pair becomes U+FFFD, as in Go.
    borrowing func decode(_ token: StringToken) -> [UInt8] {
        guard token.hasEscapes else { return [UInt8](copying: bytes.extracting(token.range)) }
        var decoded = [UInt8](repeating: 0, count: token.decodedBytes)
        var written = 0
        var index = token.range.lowerBound
        while index < token.range.upperBound {
            if let escape = escape(at: index) {
                for byte in UTF8.encode(escape.scalar) ?? UTF8.encodedReplacementCharacter {
                    decoded[written] = byte
                    written &+= 1
                }
                index &+= escape.length
            } else {
                let end = JSONEscape.plainEnd(of: bytes, from: index)
                _ = decoded.overwrite(at: written, with: bytes.extracting(index..<end), xor: 0)
                written &+= end &- index
                index = end
            }
        }
        return decoded
    }

    /// What the escape that begins at `index` stands for and how long it is; nil if there is no such escape.
    private borrowing func escape(at index: Int) -> (scalar: Unicode.Scalar, length: Int)? {
        guard index + 1 < bytes.count, bytes[index] == UInt8(ascii: "\\") else { return nil }
        switch bytes[index + 1] {
        case UInt8(ascii: "\""): return ("\"", 2)
        case UInt8(ascii: "\\"): return ("\\", 2)
        case UInt8(ascii: "/"): return ("/", 2)
        case UInt8(ascii: "b"): return ("\u{8}", 2)
        case UInt8(ascii: "f"): return ("\u{c}", 2)
        case UInt8(ascii: "n"): return ("\n", 2)
        case UInt8(ascii: "r"): return ("\r", 2)
        case UInt8(ascii: "t"): return ("\t", 2)
        default: break
        }
        guard let unit = codeUnit(at: index) else { return nil }
        if let scalar = Unicode.Scalar(unit) { return (scalar, 6) }
        if UTF16.isLeadSurrogate(unit), let trail = codeUnit(at: index + 6), UTF16.isTrailSurrogate(trail) {
            return (UTF16.decode(UTF16.EncodedScalar([unit, trail])), 12)
        }
        return ("\u{fffd}", 6)
    }

    /// The UTF-16 code unit of the escape `\uXXXX` that begins at `index`; nil if none does.
    private borrowing func codeUnit(at index: Int) -> UInt16? {
        guard index + 6 <= bytes.count, bytes[index] == UInt8(ascii: "\\"), bytes[index + 1] == UInt8(ascii: "u") else {
            return nil
        }
        var unit: UInt16 = 0
        for place in index + 2..<index + 6 {
            guard let digit = bytes[place].hexDigitValue else { return nil }
            unit = unit << 4 | UInt16(digit)
        }
        return unit
    }
}
