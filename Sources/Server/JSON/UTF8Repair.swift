/// Makes UTF-8 of any bytes the way Go's encoding/json does: every byte that belongs to no character becomes U+FFFD.
///
/// Swift's own `String(decoding:as:)` makes one U+FFFD of several such bytes, so it would store another text.
enum UTF8Repair {
    /// `bytes` with its faults replaced; nil if it has none.
    static func repaired(_ bytes: Span<UInt8>) -> [UInt8]? {
        var validator = UTF8Validator()
        if validator.consume(bytes), validator.isComplete { return nil }
        var repaired: [UInt8] = []
        repaired.reserveCapacity(bytes.count + 64)
        var index = 0
        while index < bytes.count {
            if let length = characterBytes(bytes, at: index) {
                for place in index..<index + length { repaired.append(bytes[place]) }
                index += length
            } else {
                repaired.append(contentsOf: [0xef, 0xbf, 0xbd])
                index += 1
            }
        }
        return repaired
    }

    /// How long the character at `index` is; nil if there is none.
    private static func characterBytes(_ bytes: Span<UInt8>, at index: Int) -> Int? {
        var validator = UTF8Validator()
        for end in index + 1...index + 4 where end <= bytes.count {
            guard validator.consume(bytes.extracting(end - 1..<end)) else { return nil }
            if validator.isComplete { return end - index }
        }
        return nil
    }
}
