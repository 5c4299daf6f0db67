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
        func word(_ index: Int) -> UInt64 {
            var value: UInt64 = 0
            for offset in 0..<8 { value = value << 8 | UInt64(bytes[index * 8 + offset]) }
            return value
        }
        words = (word(0), word(1), word(2), word(3))
    }

    /// The bytes.
    package var bytes: InlineArray<32, UInt8> {
        let values: InlineArray<4, UInt64> = [words.0, words.1, words.2, words.3]
        return InlineArray<32, UInt8> { UInt8(truncatingIfNeeded: values[$0 >> 3] >> (56 - 8 * UInt64($0 & 7))) }
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
