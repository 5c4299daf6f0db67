// Eight bytes at a time without a pointer: the compiler makes one load or store of either.

extension Span<UInt8> {
    /// The eight bytes from `index` on, the first one lowest. Traps past the end.
    @inline(__always)
    borrowing func word(at index: Int) -> UInt64 {
        let eight = extracting(index..<index &+ 8)
        return UInt64(eight[0]) | UInt64(eight[1]) << 8 | UInt64(eight[2]) << 16 | UInt64(eight[3]) << 24
            | UInt64(eight[4]) << 32 | UInt64(eight[5]) << 40 | UInt64(eight[6]) << 48 | UInt64(eight[7]) << 56
    }
}

extension MutableSpan<UInt8> {
    /// Overwrites the eight bytes from `index` on, the first one with the lowest of `word`. Traps past the end.
    @inline(__always)
    @_lifetime(self: copy self)
    mutating func set(word: UInt64, at index: Int) {
        var eight = extracting(index..<index &+ 8)
        for byte in 0..<8 { eight[byte] = UInt8(truncatingIfNeeded: word &>> UInt64(8 &* byte)) }
    }

    /// Overwrites all bytes with those of `source`, each combined with its byte of `key` by exclusive or.
    ///
    /// - Parameters:
    ///   - source: As many bytes as this span has.
    ///   - key: Four bytes over and over, the first one lowest; 0 copies.
    /// - Returns: Whether all that was written is ASCII.
    @_lifetime(self: copy self)
    mutating func copy(_ source: borrowing Span<UInt8>, xor key: UInt32 = 0) -> Bool {
        precondition(source.count == count, "the spans differ in length")
        let wideKey = UInt64(key) << 32 | UInt64(key)
        var seen: UInt64 = 0
        var index = 0
        while index &+ 8 <= source.count {
            let word = source.word(at: index) ^ wideKey
            seen |= word
            set(word: word, at: index)
            index &+= 8
        }
        while index < source.count {
            let byte = source[index] ^ UInt8(truncatingIfNeeded: key &>> UInt32(truncatingIfNeeded: (index & 3) &* 8))
            seen |= UInt64(byte)
            self[index] = byte
            index &+= 1
        }
        return seen & 0x8080_8080_8080_8080 == 0
    }
}

extension [UInt8] {
    /// A copy of `bytes`.
    init(copying bytes: borrowing Span<UInt8>) {
        self.init(repeating: 0, count: bytes.count)
        var own = mutableSpan
        _ = own.copy(bytes)
    }
}
