extension JSONCursor {
    /// A number in the text.
    struct NumberToken {
        let range: Range<Int>
        /// Its value, if it is a whole number from 0 to 2^53 - 1, written as one: `1.0` and `1e3` are not.
        let integer: Int?
    }

    /// The largest integer that JavaScript holds exactly.
    static let maximumInteger = 1 << 53 - 1

    /// Takes a number, which must come next.
    mutating func number() throws(BadRequest) -> NumberToken {
        _ = next()
        let start = position
        var isInteger = !takeHere(UInt8(ascii: "-"))
        var value = 0
        let digitsStart = position
        while let digit = digitHere() {
            // Past what counts the value is of no interest, but it must not overflow.
            if value <= Self.maximumInteger { value = value * 10 + digit }
            position &+= 1
        }
        let digits = position - digitsStart
        guard digits == 1 || (digits > 1 && bytes[digitsStart] != UInt8(ascii: "0")) else {
            throw .notJSON("a number as JSON has it", at: digitsStart)
        }
        if takeHere(UInt8(ascii: ".")) {
            isInteger = false
            try skipDigits()
        }
        if takeHere(UInt8(ascii: "e")) || takeHere(UInt8(ascii: "E")) {
            isInteger = false
            _ = takeHere(UInt8(ascii: "+")) || takeHere(UInt8(ascii: "-"))
            try skipDigits()
        }
        return NumberToken(
            range: start..<position,
            integer: isInteger && value <= Self.maximumInteger ? value : nil
        )
    }

    private borrowing func digitHere() -> Int? {
        guard position < bytes.count else { return nil }
        let digit = bytes[position] &- UInt8(ascii: "0")
        return digit < 10 ? Int(digit) : nil
    }

    private mutating func skipDigits() throws(BadRequest) {
        guard digitHere() != nil else { throw .notJSON("a digit", at: position) }
        while digitHere() != nil { position &+= 1 }
    }

    /// Takes `byte` if it comes next, with no white space between.
    private mutating func takeHere(_ byte: UInt8) -> Bool {
        guard position < bytes.count, bytes[position] == byte else { return false }
        position &+= 1
        return true
    }

    /// Takes `word`, one of JSON's three, which must come next.
    mutating func literal(_ word: StaticString) throws(BadRequest) {
        let start = position
        for scalar in word.description.utf8 where !takeHere(scalar) { throw .notJSON("'\(word)'", at: start) }
    }

    /// Takes a value of any kind, which must come next, when the cursor is in `outer` arrays and objects.
    mutating func skipValue(depth outer: Int) throws(BadRequest) {
        var depth = 0
        var objects: UInt64 = 0
        repeat {
            // Here a value begins.
            switch next() {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                let isObject = bytes[position] == UInt8(ascii: "{")
                guard outer + depth < Self.maximumDepth else {
                    throw BadRequest(message: "JSON may be nested \(Self.maximumDepth) levels deep at most")
                }
                position &+= 1
                depth += 1
                objects = objects << 1 | (isObject ? 1 : 0)
                guard take(isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else {
                    if isObject { try skipKey() }
                    continue
                }
                depth -= 1
                objects >>= 1
            case UInt8(ascii: "\""): _ = try string()
            case UInt8(ascii: "t"): try literal("true")
            case UInt8(ascii: "f"): try literal("false")
            case UInt8(ascii: "n"): try literal("null")
            case .some(let byte) where byte == UInt8(ascii: "-") || (0x30...0x39).contains(byte): _ = try number()
            default: throw .notJSON("a value", at: position)
            }
            // Here a value has ended, and with it maybe what it was in.
            while depth > 0 {
                let isObject = objects & 1 == 1
                if take(UInt8(ascii: ",")) {
                    if isObject { try skipKey() }
                    break
                }
                try expect(isObject ? UInt8(ascii: "}") : UInt8(ascii: "]"))
                depth -= 1
                objects >>= 1
            }
        } while depth > 0
    }

    private mutating func skipKey() throws(BadRequest) {
        _ = try string()
        try expect(UInt8(ascii: ":"))
    }
}
