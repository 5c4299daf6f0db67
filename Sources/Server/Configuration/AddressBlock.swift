/// An IP address, or a block of neighbouring ones, as in `10.0.0.0/8` and `2001:db8::/32` (RFC 4632, RFC 4291).
///
/// Written without the C library's parser, which takes a pointer to write to.
struct AddressBlock: Sendable, Hashable {
    /// The address in network order, 4 bytes or 16; the bits past ``prefixBits`` are 0.
    let bytes: [UInt8]
    /// How many leading bits all addresses of the block share; all of them for a single address.
    let prefixBits: Int

    /// Reads an address, with or without `/` and the number of bits; `nil` if it isn't one.
    ///
    /// An IPv4 address in IPv6 clothing (`::ffff:10.0.0.1`) is the IPv4 address: sockets that serve both kinds report
    /// IPv4 clients so.
    init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = parts.first, var bytes = Self.parseV4(address) ?? Self.parseV6(address) else { return nil }
        var prefixBits = bytes.count * 8
        if parts.count == 2 {
            guard let said = Self.number(parts[1], radix: 10, maxDigits: 3), said <= prefixBits else { return nil }
            prefixBits = said
        }
        if bytes.starts(with: Self.mappedPrefix), bytes.count == 16, prefixBits >= 96 {
            bytes.removeFirst(12)
            prefixBits -= 96
        }
        for index in bytes.indices {
            let kept = min(max(prefixBits - index * 8, 0), 8)
            bytes[index] &= UInt8(truncatingIfNeeded: 0xFF00 >> kept)
        }
        self.bytes = bytes
        self.prefixBits = prefixBits
    }

    /// Whether every address of `other` lies in this block.
    func contains(_ other: AddressBlock) -> Bool {
        guard bytes.count == other.bytes.count, prefixBits <= other.prefixBits else { return false }
        let whole = prefixBits / 8
        guard bytes[..<whole] == other.bytes[..<whole] else { return false }
        guard prefixBits % 8 != 0 else { return true }
        return (bytes[whole] ^ other.bytes[whole]) >> (8 - prefixBits % 8) == 0
    }

    /// Whether only this machine can be reached by it: `127.0.0.0/8` and `::1`.
    var isLoopback: Bool {
        Self.loopbacks.contains { $0.contains(self) }
    }

    private static let loopbacks = ["127.0.0.0/8", "::1"].compactMap(AddressBlock.init)
    private static let mappedPrefix: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]

    private static func parseV4(_ text: Substring) -> [UInt8]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        // A leading zero is refused: some readers take 010 for 8.
        let bytes = parts.compactMap { part -> UInt8? in
            guard part == "0" || !part.hasPrefix("0") else { return nil }
            return number(part, radix: 10, maxDigits: 3).flatMap(UInt8.init(exactly:))
        }
        return bytes.count == 4 ? bytes : nil
    }

    private static func parseV6(_ text: Substring) -> [UInt8]? {
        guard let gap = text.firstRange(of: "::") else {
            return parseGroups(text).flatMap { $0.count == 16 ? $0 : nil }
        }
        guard let head = parseGroups(text[..<gap.lowerBound], isLast: false),
            let tail = parseGroups(text[gap.upperBound...]), head.count + tail.count <= 14
        else { return nil }
        return head + Array(repeating: 0, count: 16 - head.count - tail.count) + tail
    }

    /// The bytes of `a:b:c`, whose last group may be an IPv4 address when the text ends the address.
    private static func parseGroups(_ text: Substring, isLast: Bool = true) -> [UInt8]? {
        guard !text.isEmpty else { return [] }
        var bytes: [UInt8] = []
        let groups = text.split(separator: ":", omittingEmptySubsequences: false)
        for (index, group) in groups.enumerated() {
            if isLast, index == groups.count - 1, let v4 = parseV4(group) {
                bytes += v4
            } else if let value = number(group, radix: 16, maxDigits: 4) {
                bytes += [UInt8(value >> 8), UInt8(value & 0xFF)]
            } else {
                return nil
            }
        }
        return bytes.count <= 16 ? bytes : nil
    }

    /// A number of ASCII digits only: `Int` alone would take a sign.
    private static func number(_ text: Substring, radix: Int, maxDigits: Int) -> Int? {
        guard 1...maxDigits ~= text.utf8.count, text.allSatisfy({ $0.isASCII && $0.isHexDigit }) else { return nil }
        return Int(text, radix: radix)
    }
}

extension AddressBlock: CustomStringConvertible {
    var description: String {
        let isWhole = prefixBits == bytes.count * 8
        return (bytes.count == 4 ? textOfV4 : textOfV6) + (isWhole ? "" : "/\(prefixBits)")
    }

    private var textOfV4: String { bytes.map { String($0) }.joined(separator: ".") }

    /// RFC 5952: lower case, and the longest run of two or more zero groups (the first of equals) left out.
    private var textOfV6: String {
        let groups = stride(from: 0, to: 16, by: 2).map { Int(bytes[$0]) << 8 | Int(bytes[$0 + 1]) }
        var longest = 0..<0
        var start = 0
        while start < 8 {
            var end = start
            while end < 8, groups[end] == 0 { end += 1 }
            if end - start > max(longest.count, 1) { longest = start..<end }
            start = max(end, start + 1)
        }
        func text(_ range: Range<Int>) -> String {
            groups[range].map { String($0, radix: 16) }.joined(separator: ":")
        }
        return longest.isEmpty ? text(0..<8) : text(0..<longest.lowerBound) + "::" + text(longest.upperBound..<8)
    }
}
