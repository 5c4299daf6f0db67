extension UInt64 {
    /// The value of ASCII digits with no zero before them and nothing else, at most ``MerkleTree/maximumSize``: as the
    /// formats of transparency logs write sizes and indexes.
    init?(canonicalDecimal digits: some Collection<UInt8>) {
        guard let first = digits.first, first != UInt8(ascii: "0") || digits.count == 1 else { return nil }
        var value: UInt64 = 0
        for digit in digits {
            // 19 digits fit, and no more are needed.
            guard UInt8(ascii: "0")...UInt8(ascii: "9") ~= digit, value <= MerkleTree.maximumSize / 10 else {
                return nil
            }
            value = value * 10 + UInt64(digit - UInt8(ascii: "0"))
        }
        guard value <= MerkleTree.maximumSize else { return nil }
        self = value
    }
}
