import Broker
import NIOCore

/// JSON that is written by hand into a buffer: no value tree and no `String` on the way.
extension ByteBuffer {
    /// Appends `utf8` as a JSON string, with its quotes.
    ///
    /// - Parameter utf8: Well-formed UTF-8; this isn't checked.
    mutating func writeJSONString(_ utf8: Span<UInt8>) {
        writeInteger(UInt8(ascii: "\""))
        writeJSONEscaped(utf8)
        writeInteger(UInt8(ascii: "\""))
    }

    /// Appends `utf8` as a JSON string, with its quotes.
    mutating func writeJSONString(_ utf8: [UInt8]) { writeJSONString(utf8.span) }

    /// Appends `text` as a JSON string, with its quotes.
    mutating func writeJSONString(_ text: String) { writeJSONString(text.utf8.span) }

    /// Appends `utf8` as it stands between the quotes of a JSON string; see ``JSONEscape``.
    mutating func writeJSONEscaped(_ utf8: Span<UInt8>) {
        var start = 0
        while true {
            let end = JSONEscape.plainEnd(of: utf8, from: start)
            writeBytes(utf8.extracting(start..<end))
            guard end < utf8.count else { return }
            let escape = JSONEscape.Escape(utf8[end])
            writeMultipleIntegers(UInt8(ascii: "\\"), escape.letter)
            if let digits = escape.digits {
                writeMultipleIntegers(UInt8(ascii: "0"), UInt8(ascii: "0"), digits.high, digits.low)
            }
            start = end + 1
        }
    }

    /// Appends `value` in decimal.
    mutating func writeDecimal(_ value: some FixedWidthInteger) {
        let digits = DecimalDigits(UInt64(value.magnitude))
        if value < 0 { writeInteger(UInt8(ascii: "-")) }
        writeBytes(digits.bytes.span.extracting(digits.start..<20))
    }

    /// Appends a time as a JSON string, with its quotes: RFC 3339 in UTC with milliseconds, 26 bytes in all.
    ///
    /// - Parameter milliseconds: Since 1970; what is past the year 9999 becomes its last millisecond.
    mutating func writeJSONTimestamp(milliseconds: UInt64) {
        writeInteger(UInt8(ascii: "\""))
        writeTimestamp(milliseconds: milliseconds)
        writeInteger(UInt8(ascii: "\""))
    }

    /// Appends a time, RFC 3339 in UTC with milliseconds, 24 bytes, without quotes.
    mutating func writeTimestamp(milliseconds: UInt64) {
        let text = Timestamp.ascii(milliseconds: milliseconds)
        writeBytes(text.span)
    }
}

extension [UInt8] {
    /// Appends `value` in decimal.
    mutating func appendDecimal(_ value: UInt64) {
        let digits = DecimalDigits(value)
        for index in digits.start..<20 { append(digits.bytes[index]) }
    }
}

/// The digits of a number, at the end of 20 bytes.
private struct DecimalDigits {
    var bytes = InlineArray<20, UInt8>(repeating: 0)
    var start = 20

    @inline(__always)
    init(_ value: UInt64) {
        var rest = value
        repeat {
            start -= 1
            let (tenth, digit) = rest.quotientAndRemainder(dividingBy: 10)
            bytes[start] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: digit)
            rest = tenth
        } while rest > 0
    }
}
