public import LMDB

/// Text that is written by hand into room that is there already: where many short pieces make a row, what a buffer does
/// for each of them (is it mine alone, is there room, how far is it) costs more than the bytes.
///
/// Each of these traps if there is no room.
extension OutputRawSpan {
    /// Appends a copy of `utf8`.
    @inlinable
    @inline(__always)
    @_lifetime(self: copy self)
    package mutating func write(_ utf8: Span<UInt8>) { append(utf8) }

    /// Appends a literal.
    @inlinable
    @inline(__always)
    @_lifetime(self: copy self)
    package mutating func write(_ literal: StaticString) { append(literal) }

    /// Appends `value` in decimal, at most 20 bytes.
    @inlinable
    @inline(__always)
    @_lifetime(self: copy self)
    package mutating func writeDecimal(_ value: UInt64) { append(decimal: value) }
}
