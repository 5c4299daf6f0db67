// Integers and runs of bytes in and out of spans and arrays. It lives here because it is the one place besides
// Cryptography that may be `unsafe`: byte by byte, these reads cost several times as much.

extension Span<UInt8> {
    /// The integer whose little-endian bytes begin at `offset`.
    ///
    /// Traps past the end.
    @inlinable
    package func littleEndian<Integer: FixedWidthInteger>(
        at offset: Int,
        as type: Integer.Type = Integer.self
    ) -> Integer {
        Integer(littleEndian: load(at: offset))
    }

    /// The integer whose big-endian bytes begin at `offset`.
    ///
    /// Traps past the end.
    @inlinable
    package func bigEndian<Integer: FixedWidthInteger>(at offset: Int, as type: Integer.Type = Integer.self) -> Integer
    {
        Integer(bigEndian: load(at: offset))
    }

    @inlinable
    func load<Integer: FixedWidthInteger>(at offset: Int) -> Integer {
        precondition(offset >= 0 && offset <= count - MemoryLayout<Integer>.size, "a read past the end of the bytes")
        return unsafe withUnsafeBytes { unsafe $0.loadUnaligned(fromByteOffset: offset, as: Integer.self) }
    }

    /// Whether both hold the same bytes.
    @inlinable
    package func isEqual(to other: borrowing Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        for index in indices where self[index] != other[index] { return false }
        return true
    }
}

extension [UInt8] {
    /// A copy of `bytes`.
    @inlinable
    package init(copying bytes: Span<UInt8>) {
        // Not `Array(_:)`, which looks up the type of its storage on the way.
        unsafe self.init(unsafeUninitializedCapacity: bytes.count) { buffer, count in
            count = bytes.count
            unsafe bytes.withUnsafeBufferPointer { source in _ = unsafe buffer.initialize(fromContentsOf: source) }
        }
    }

    /// Appends a copy of `bytes`.
    @inlinable
    package mutating func append(_ bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
    }

    /// Appends the little-endian bytes of `value`.
    @inlinable
    package mutating func append(littleEndian value: some FixedWidthInteger) {
        unsafe Swift.withUnsafeBytes(of: value.littleEndian) { unsafe append(contentsOf: $0) }
    }

    /// Appends the little-endian bytes of each of `words`, at the cost of one append.
    @inlinable
    package mutating func append<let count: Int>(littleEndian words: InlineArray<count, UInt64>) {
        let stored = InlineArray<count, UInt64> { words[$0].littleEndian }
        unsafe stored.span.withUnsafeBytes { unsafe append(contentsOf: $0) }
    }

    /// Appends the big-endian bytes of `value`.
    @inlinable
    package mutating func append(bigEndian value: some FixedWidthInteger) {
        unsafe Swift.withUnsafeBytes(of: value.bigEndian) { unsafe append(contentsOf: $0) }
    }

    /// Overwrites what begins at `offset` with the little-endian bytes of `value`.
    ///
    /// Traps past the end.
    @inlinable
    package mutating func overwrite(littleEndian value: some FixedWidthInteger, at offset: Int) {
        unsafe Swift.withUnsafeBytes(of: value.littleEndian) { source in
            precondition(offset >= 0 && offset <= count - source.count, "a write past the end of the bytes")
            unsafe withUnsafeMutableBytes { unsafe $0[offset..<offset + source.count].copyBytes(from: source) }
        }
    }
}

// Public, because nothing else can be inlined by way of another module.
extension OutputRawSpan {
    /// Appends a copy of `bytes`.
    ///
    /// Traps if there is no room for them.
    @inlinable
    @inline(__always)
    @_lifetime(self: copy self)
    public mutating func append(_ bytes: Span<UInt8>) {
        precondition(bytes.count <= freeCapacity, "a write past the end of the room for bytes")
        unsafe withUnsafeMutableBytes { room, count in
            unsafe bytes.withUnsafeBytes { source in
                guard let place = room.baseAddress, let start = source.baseAddress else { return }
                unsafe place.advanced(by: count).copyMemory(from: start, byteCount: source.count)
                count &+= source.count
            }
        }
    }

    /// Appends the UTF-8 of a literal, whose length the compiler knows.
    ///
    /// Traps if there is no room for it.
    @inlinable
    @inline(__always)
    @_lifetime(self: copy self)
    public mutating func append(_ literal: StaticString) {
        let length = literal.utf8CodeUnitCount
        precondition(length <= freeCapacity, "a write past the end of the room for bytes")
        unsafe withUnsafeMutableBytes { room, count in
            guard let place = room.baseAddress else { return }
            unsafe place.advanced(by: count).copyMemory(from: literal.utf8Start, byteCount: length)
            count &+= length
        }
    }

    /// Appends the decimal digits of `value`, at most 20.
    ///
    /// Traps if there is no room for them.
    @_lifetime(self: copy self)
    public mutating func append(decimal value: UInt64) {
        // Up to eight digits go into a register, the first in its lowest byte.
        let (rest, remainder) = value.quotientAndRemainder(dividingBy: 100_000_000)
        var low = remainder
        var digits: UInt64 = 0
        var length = 0
        repeat {
            let digit: UInt64
            (low, digit) = low.quotientAndRemainder(dividingBy: 10)
            digits = digits << 8 | (UInt64(UInt8(ascii: "0")) &+ digit)
            length &+= 1
        } while low > 0
        if rest > 0 {
            append(decimal: rest)
            // The zeros between.
            let zeros: UInt64 = 0x3030_3030_3030_3030
            digits = digits << UInt64(8 * (8 - length)) | zeros >> UInt64(8 * length)
            length = 8
        }
        precondition(length <= freeCapacity, "a write past the end of the room for bytes")
        unsafe withUnsafeMutableBytes { room, count in
            guard let place = room.baseAddress else { return }
            if room.count &- count >= 8 {
                unsafe place.storeBytes(of: digits.littleEndian, toByteOffset: count, as: UInt64.self)
            } else {
                unsafe Swift.withUnsafeBytes(of: digits.littleEndian) { source in
                    guard let start = source.baseAddress else { return }
                    unsafe place.advanced(by: count).copyMemory(from: start, byteCount: length)
                }
            }
            count &+= length
        }
    }
}

extension String {
    /// The text whose UTF-8 is `bytes`; ill-formed parts become U+FFFD.
    package init(decoding bytes: Span<UInt8>) {
        self = unsafe bytes.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
    }
}
