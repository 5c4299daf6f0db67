public import LMDB

/// Text that is written by hand into room that is there already: where many short pieces make a row, what a buffer does
/// for each of them (is it mine alone, is there room, how far is it) costs more than the bytes.
///
/// Each of these traps if there is no room.
extension OutputRawSpan {
    /// Appends a copy of `utf8`.
    @inlinable
    @_lifetime(self: copy self)
    package mutating func write(_ utf8: Span<UInt8>) { append(utf8) }

    /// Appends a literal.
    @inlinable
    @inline(__always)
    @_lifetime(self: copy self)
    package mutating func write(_ literal: StaticString) { append(literal) }

    /// Appends `value` in decimal, at most 20 bytes.
    @inlinable
    @_lifetime(self: copy self)
    package mutating func writeDecimal(_ value: UInt64) {
        var digits = InlineArray<20, UInt8>(repeating: 0)
        var start = 20
        var rest = value
        repeat {
            start &-= 1
            let (tenth, digit) = rest.quotientAndRemainder(dividingBy: 10)
            digits[start] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: digit)
            rest = tenth
        } while rest > 0
        append(digits.span.extracting(start..<20))
    }
}
