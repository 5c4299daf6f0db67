import NIOCore

// Eight bytes at a time without a pointer: the compiler makes one load or store of either.

extension Span<UInt8> {
    /// The eight bytes from `index` on, the first one lowest; traps past the end.
    @inline(__always)
    borrowing func word(at index: Int) -> UInt64 {
        let eight = extracting(index..<index &+ 8)
        return UInt64(eight[0]) | UInt64(eight[1]) << 8 | UInt64(eight[2]) << 16 | UInt64(eight[3]) << 24
            | UInt64(eight[4]) << 32 | UInt64(eight[5]) << 40 | UInt64(eight[6]) << 48 | UInt64(eight[7]) << 56
    }
}

extension [UInt8] {
    /// A copy of `bytes`.
    init(copying bytes: borrowing Span<UInt8>) {
        // Not `init(repeating:count:)`, which looks up the type of its storage on the way.
        self.init()
        append(contentsOf: repeatElement(0, count: bytes.count))
        _ = overwrite(at: 0, with: bytes, xor: 0)
    }

    /// Overwrites what begins at `start`; traps past the end.
    ///
    /// - Parameters:
    ///   - start: Where the first byte goes.
    ///   - source: What goes there, each byte combined with its byte of `key` by exclusive or.
    ///   - key: Four bytes over and over, the first one lowest; 0 copies.
    /// - Returns: Whether all that was written is ASCII.
    mutating func overwrite(at start: Int, with source: borrowing Span<UInt8>, xor key: UInt32) -> Bool {
        var elements = mutableSpan
        // Not by `mutableBytes`, which strict memory safety objects to, as elements in general may have padding.
        var target = MutableRawSpan(_elements: &elements)
        let wideKey = UInt64(key) << 32 | UInt64(key)
        var seen: UInt64 = 0
        var index = 0
        while index &+ 8 <= source.count {
            let word = source.word(at: index) ^ wideKey
            seen |= word
            target.storeBytes(of: word.littleEndian, toByteOffset: start &+ index, as: UInt64.self)
            index &+= 8
        }
        while index < source.count {
            let byte = source[index] ^ UInt8(truncatingIfNeeded: key &>> UInt32(truncatingIfNeeded: (index & 3) &* 8))
            seen |= UInt64(byte)
            target.storeBytes(of: byte, toByteOffset: start &+ index, as: UInt8.self)
            index &+= 1
        }
        return seen & 0x8080_8080_8080_8080 == 0
    }
}

extension ByteBuffer {
    /// Appends `bytes`.
    mutating func writeBytes(_ bytes: Span<UInt8>) {
        writeBytes(RawSpan(_elements: bytes))
    }
}
