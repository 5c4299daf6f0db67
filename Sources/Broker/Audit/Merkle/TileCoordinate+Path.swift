/// Why a path names no tile.
package enum TilePathError: Error, Hashable, CustomStringConvertible {
    /// It doesn't begin with `tile/`.
    case prefix
    /// The second element is neither `entries` nor a number from 0 to ``TileCoordinate/maximumLevel``.
    case level
    /// An element of the index, counted from 1, is not three digits, with an `x` before them in all but the last; or
    /// the first is `x000`.
    case index(element: Int)
    /// What follows `.p/` is no number from 1 to 255.
    case width
    /// No tree has so many leaves.
    case outOfRange

    package var description: String {
        switch self {
        case .prefix: "a tile's path begins with tile/"
        case .level: "a tile's level is 'entries' or a number from 0 to \(TileCoordinate.maximumLevel)"
        case .index(let element): "element \(element) of the tile's index is malformed; 1234067 is x001/x234/067"
        case .width: "the width of a partial tile is a number from 1 to 255"
        case .outOfRange: "no tree has that tile"
        }
    }
}

extension TileCoordinate {
    /// Where the tile is to be had, after the log's prefix: `tile/0/x001/x234/067`, `tile/entries/000.p/44`.
    package var path: String {
        var elements = [Self.digits(index % 1000)]
        var rest = index / 1000
        while rest > 0 {
            elements.insert("x" + Self.digits(rest % 1000), at: 0)
            rest /= 1000
        }
        let folder =
            switch content {
            case .hashes(let level): String(level)
            case .entries: "entries"
            }
        let suffix = isPartial ? ".p/\(width)" : ""
        return "tile/\(folder)/\(elements.joined(separator: "/"))\(suffix)"
    }

    /// Reads a path, which must be the very one that ``path`` gives.
    ///
    /// - Throws: ``TilePathError``.
    package init(path: some Collection<UInt8>) throws(TilePathError) {
        var elements = path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map { Array($0) }[...]
        guard elements.popFirst() == Array("tile".utf8) else { throw .prefix }
        guard let folder = elements.popFirst(), let content = Self.content(folder) else { throw .level }
        guard var last = elements.popLast() else { throw .index(element: 1) }
        var width = Self.fullWidth
        if let before = elements.last, before.suffix(2) == Array(".p".utf8)[...] {
            guard let number = UInt64(canonicalDecimal: last), 1..<UInt64(Self.fullWidth) ~= number else {
                throw .width
            }
            width = Int(number)
            last = before.dropLast(2)
            elements.removeLast()
        }
        var index: UInt64 = 0
        for (number, element) in (elements + [last]).enumerated() {
            let isLast = number == elements.count
            guard isLast || element.first == UInt8(ascii: "x"),
                let digits = Self.value(isLast ? element[...] : element.dropFirst()),
                number > 0 || isLast || digits > 0
            else { throw .index(element: number + 1) }
            let (high, overflows) = index.multipliedReportingOverflow(by: 1000)
            guard !overflows, high <= MerkleTree.maximumSize else { throw .outOfRange }
            index = high + digits
        }
        guard let coordinate = TileCoordinate(content, index: index, width: width) else { throw .outOfRange }
        self = coordinate
    }

    private static func content(_ element: [UInt8]) -> Content? {
        if element == Array("entries".utf8) { return .entries }
        guard let level = UInt64(canonicalDecimal: element), level <= maximumLevel else { return nil }
        return .hashes(level: Int(level))
    }

    /// The value of exactly three digits.
    private static func value(_ digits: ArraySlice<UInt8>) -> UInt64? {
        guard digits.count == 3 else { return nil }
        var value: UInt64 = 0
        for digit in digits {
            guard UInt8(ascii: "0")...UInt8(ascii: "9") ~= digit else { return nil }
            value = value * 10 + UInt64(digit - UInt8(ascii: "0"))
        }
        return value
    }

    private static func digits(_ value: UInt64) -> String {
        let text = String(value)
        return String(repeating: "0", count: 3 - text.count) + text
    }
}
