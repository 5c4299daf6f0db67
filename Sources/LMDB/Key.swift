/// The bytes of a key, built on the stack: parts in big-endian order, so that keys sort as their parts do.
///
/// At most 80 bytes; LMDB's own limit is 511.
package struct Key {
    @usableFromInline var storage = InlineArray<80, UInt8>(repeating: 0)
    @usableFromInline var used = 0

    @inlinable package init() {}

    /// The bytes appended so far.
    @inlinable
    package var span: Span<UInt8> {
        @_lifetime(borrow self) borrowing get { storage.span.extracting(first: used) }
    }

    /// Appends the 8 big-endian bytes of `value`.
    @inlinable
    package mutating func append(_ value: UInt64) {
        precondition(used <= 72, "a key of more than 80 bytes")
        for index in 0..<8 { storage[used + index] = UInt8(truncatingIfNeeded: value >> (56 - 8 * UInt64(index))) }
        used += 8
    }

    /// Appends one byte.
    @inlinable
    package mutating func append(_ byte: UInt8) {
        precondition(used < 80, "a key of more than 80 bytes")
        storage[used] = byte
        used += 1
    }

    /// Appends `bytes` as they are.
    @inlinable
    package mutating func append(_ bytes: Span<UInt8>) {
        precondition(used + bytes.count <= 80, "a key of more than 80 bytes")
        for index in bytes.indices { storage[used + index] = bytes[index] }
        used += bytes.count
    }
}
