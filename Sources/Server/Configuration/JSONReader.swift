/// Reads a JSON file that a person wrote, to the letter of RFC 8259, and tells where it goes wrong.
///
/// Foundation's readers say only that it isn't JSON, and let a trailing comma or a key that is there twice pass.
struct JSONReader {
    /// What is wrong, and in which line and column (of bytes), from 1.
    struct Failure: Error, Equatable {
        var message: String
        var line: Int
        var column: Int
    }

    /// The one value in `bytes`; a byte order mark before it is skipped.
    static func read(_ bytes: [UInt8]) throws(Failure) -> JSONNode {
        var reader = JSONReader(bytes: bytes)
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { reader.position = 3 }
        let node = try reader.value(depth: 0)
        reader.skipSpace()
        guard reader.position == bytes.count else { throw reader.failure("something follows the end of the document") }
        return node
    }

    private static let mostDepth = 64
    private let bytes: [UInt8]
    private var position = 0

    private init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    private mutating func value(depth: Int) throws(Failure) -> JSONNode {
        guard depth < Self.mostDepth else { throw failure("more than \(Self.mostDepth) levels") }
        skipSpace()
        guard let first = peek else { throw failure("the document ends too early") }
        switch first {
        case UInt8(ascii: "{"): return .object(try object(depth: depth))
        case UInt8(ascii: "["): return .list(try list(depth: depth))
        case UInt8(ascii: "\""): return .text(try text())
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default:
            if take("true") { return .flag(true) }
            if take("false") { return .flag(false) }
            if take("null") { return .null }
            throw failure("expected a value, which begins with {, [, \", a digit, true, false or null")
        }
    }

    private mutating func object(depth: Int) throws(Failure) -> [String: JSONNode] {
        var members: [String: JSONNode] = [:]
        try sequence(from: "{", to: "}") { (reader) throws(Failure) in
            guard reader.peek == UInt8(ascii: "\"") else { throw reader.failure("expected a key in double quotes") }
            let start = reader.position
            let key = try reader.text()
            reader.skipSpace()
            guard reader.take(":") else { throw reader.failure("expected : after a key") }
            let value = try reader.value(depth: depth + 1)
            guard members.updateValue(value, forKey: key) == nil else {
                reader.position = start
                throw reader.failure("the key \(key.shownAsJSON) is there twice")
            }
        }
        return members
    }

    private mutating func list(depth: Int) throws(Failure) -> [JSONNode] {
        var elements: [JSONNode] = []
        try sequence(from: "[", to: "]") { (reader) throws(Failure) in
            elements.append(try reader.value(depth: depth + 1))
        }
        return elements
    }

    /// Elements with commas between them.
    private mutating func sequence(
        from start: String,
        to end: String,
        element: (inout JSONReader) throws(Failure) -> Void
    ) throws(Failure) {
        _ = take(start)
        skipSpace()
        if take(end) { return }
        while true {
            skipSpace()
            try element(&self)
            skipSpace()
            if take(end) { return }
            guard take(",") else {
                throw failure(peek == nil ? "the document ends too early" : "expected , or \(end)")
            }
        }
    }

    private mutating func number() throws(Failure) -> JSONNode {
        let start = position
        _ = take("-")
        var isWhole = true
        if !take("0") { try digits() }
        if take(".") {
            isWhole = false
            try digits()
        }
        if take("e") || take("E") {
            isWhole = false
            if !take("+") { _ = take("-") }
            try digits()
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isWhole, let integer = Int(text) { return .integer(integer) }
        return .number(Double(text) ?? .infinity)
    }

    private mutating func digits() throws(Failure) {
        guard isDigit else { throw failure("expected a digit") }
        while isDigit { position += 1 }
    }

    private mutating func text() throws(Failure) -> String {
        let start = position
        position += 1
        var units: [UInt8] = []
        while true {
            guard let byte = peek, byte != UInt8(ascii: "\n") else {
                position = start
                throw failure("a text without its closing quote")
            }
            guard byte >= 0x20 else { throw failure("a control character in a text") }
            position += 1
            if byte == UInt8(ascii: "\"") { break }
            if byte == UInt8(ascii: "\\") {
                units += try escape()
            } else {
                units.append(byte)
            }
        }
        guard let text = String(validating: units, as: UTF8.self) else {
            position = start
            throw failure("a text that is not UTF-8")
        }
        return text
    }

    /// What stands for one escape, in UTF-8; a pair of surrogates is one.
    private mutating func escape() throws(Failure) -> [UInt8] {
        let plain: [(String, UInt8)] = [
            ("\"", 0x22), ("\\", 0x5C), ("/", 0x2F), ("b", 8), ("f", 12), ("n", 10), ("r", 13), ("t", 9),
        ]
        for (letter, byte) in plain where take(letter) { return [byte] }
        var unit = try codeUnit()
        if 0xD800...0xDBFF ~= unit, take("\\") {
            let low = try codeUnit()
            guard 0xDC00...0xDFFF ~= low else { throw failure("half of a surrogate pair") }
            unit = 0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(unit) else { throw failure("half of a surrogate pair") }
        return Array(String(scalar).utf8)
    }

    private mutating func codeUnit() throws(Failure) -> UInt32 {
        let digits = bytes[position...].dropFirst().prefix(4)
        let text = String(decoding: digits, as: UTF8.self)
        guard take("u"), text.utf8.count == 4, text.allSatisfy(\.isHexDigit), let unit = UInt32(text, radix: 16) else {
            throw failure("an escape that there isn't")
        }
        position += 4
        return unit
    }

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }
    private var isDigit: Bool { peek.map { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 } ?? false }

    /// Steps over `token` if it stands here.
    private mutating func take(_ token: String) -> Bool {
        guard bytes[position...].starts(with: token.utf8) else { return false }
        position += token.utf8.count
        return true
    }

    private mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private func failure(_ message: String) -> Failure {
        let before = bytes[..<position]
        let line = before.count { $0 == UInt8(ascii: "\n") } + 1
        let lineStart = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        return Failure(message: message, line: line, column: position - lineStart + 1)
    }
}
