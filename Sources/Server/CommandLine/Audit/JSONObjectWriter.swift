import Broker

/// Writes one JSON object, keys in the order in which they come.
struct JSONObjectWriter {
    private var bytes: [UInt8] = [UInt8(ascii: "{")]

    /// The object, closed.
    var finished: [UInt8] { bytes + [UInt8(ascii: "}")] }

    mutating func text(_ key: StaticString, _ value: String?) {
        begin(key)
        guard let value else {
            bytes.append(contentsOf: "null".utf8)
            return
        }
        bytes.append(UInt8(ascii: "\""))
        append(value)
        bytes.append(UInt8(ascii: "\""))
    }

    mutating func number(_ key: StaticString, _ value: UInt64) {
        begin(key)
        bytes.append(contentsOf: String(value).utf8)
    }

    mutating func flag(_ key: StaticString, _ value: Bool?) {
        begin(key)
        bytes.append(contentsOf: (value.map { $0 ? "true" : "false" } ?? "null").utf8)
    }

    mutating func numbers(_ key: StaticString, _ values: [UInt64]) {
        begin(key)
        append(values) { $0.append(contentsOf: String($1).utf8) }
    }

    /// Adds an object, or null.
    mutating func object(_ key: StaticString, _ value: JSONObjectWriter?) {
        begin(key)
        bytes.append(contentsOf: value?.finished ?? Array("null".utf8))
    }

    mutating func objects(_ key: StaticString, _ values: [JSONObjectWriter]) {
        begin(key)
        append(values) { $0.append(contentsOf: $1.finished) }
    }

    /// Adds the JSON that `body` appends.
    mutating func raw(_ key: StaticString, _ body: (inout [UInt8]) -> Void) {
        begin(key)
        body(&bytes)
    }

    private mutating func append<Value>(_ values: [Value], _ body: (inout [UInt8], Value) -> Void) {
        bytes.append(UInt8(ascii: "["))
        for (index, value) in values.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            body(&bytes, value)
        }
        bytes.append(UInt8(ascii: "]"))
    }

    private mutating func begin(_ key: StaticString) {
        if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
        bytes.append(UInt8(ascii: "\""))
        bytes.append(contentsOf: key.description.utf8)
        bytes.append(contentsOf: [UInt8(ascii: "\""), UInt8(ascii: ":")])
    }

    private mutating func append(_ value: String) {
        let utf8 = Array(value.utf8)
        // JSON may hold DEL and the C1 controls as they are, but a terminal that shows the line may obey them.
        guard value.unicodeScalars.contains(where: { 0x7f...0x9f ~= $0.value }) else {
            JSONEscape.append(utf8.span, to: &bytes)
            return
        }
        for scalar in value.unicodeScalars {
            if 0x7f...0x9f ~= scalar.value {
                bytes.append(contentsOf: "\\u00\(String(scalar.value, radix: 16))".utf8)
            } else {
                let utf8 = Array(String(scalar).utf8)
                JSONEscape.append(utf8.span, to: &bytes)
            }
        }
    }
}
