/// 32 bytes that SHA-256 gave.
package struct Digest: Hashable, Sendable, CustomStringConvertible {
    // Four words rather than an InlineArray, which is neither Equatable nor Hashable. Big-endian: word 0 comes first.
    private var words: (UInt64, UInt64, UInt64, UInt64)

    /// The length in bytes.
    package static let byteCount = 32

    init(words: (UInt64, UInt64, UInt64, UInt64)) { self.words = words }

    /// Creates a digest from its bytes.
    ///
    /// - Returns: Nil if there aren't 32.
    package init?(_ bytes: Span<UInt8>) {
        guard bytes.count == Self.byteCount else { return nil }
        let stored = unsafe bytes.withUnsafeBytes {
            unsafe $0.loadUnaligned(as: (UInt64, UInt64, UInt64, UInt64).self)
        }
        words = (stored.0.bigEndian, stored.1.bigEndian, stored.2.bigEndian, stored.3.bigEndian)
    }

    /// The bytes.
    package var bytes: InlineArray<32, UInt8> {
        // Byte by byte, a node of a tree took 183 ns instead of 127, for it needs this twice.
        unsafe unsafeBitCast(bigEndianWords, to: InlineArray<32, UInt8>.self)
    }

    /// The words as they stand in memory when their bytes are in order.
    fileprivate var bigEndianWords: (UInt64, UInt64, UInt64, UInt64) {
        (words.0.bigEndian, words.1.bigEndian, words.2.bigEndian, words.3.bigEndian)
    }

    /// The first 16 bytes, as two big-endian words.
    package var first16Bytes: (UInt64, UInt64) { (words.0, words.1) }

    /// 64 lower-case hexadecimal digits.
    package var description: String {
        [words.0, words.1, words.2, words.3]
            .map { word in
                let digits = String(word, radix: 16)
                return String(repeating: "0", count: 16 - digits.count) + digits
            }
            .joined()
    }

    package static func == (left: Digest, right: Digest) -> Bool { left.words == right.words }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
        hasher.combine(words.1)
    }
}

extension SHA256 {
    /// The hash of a byte and two digests: what a node of a Merkle tree is.
    ///
    /// One call into libcrypto instead of three: 123 ns, where it took 132.
    package borrowing func hash(prefix: UInt8, _ left: Digest, _ right: Digest) -> Digest {
        let (left, right) = (left.bigEndianWords, right.bigEndianWords)
        // The prefix is the last byte of the first word.
        let words = (
            UInt64(prefix).bigEndian, left.0, left.1, left.2, left.3, right.0, right.1, right.2, right.3
        )
        unsafe withUnsafeBytes(of: words) { bytes in
            let input = unsafe UnsafeRawBufferPointer(rebasing: bytes.dropFirst(7))
            unsafe update(Span(_unsafeBytes: input))
        }
        return finalize()
    }
}
