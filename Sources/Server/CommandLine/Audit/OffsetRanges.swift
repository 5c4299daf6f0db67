import Broker

/// Offsets as people read them, neighbours together: `812, 815–817`.
enum OffsetRanges {
    /// - Parameters:
    ///   - offsets: Ascending.
    ///   - most: How many ranges are shown; what is left is counted. Nil: all.
    static func text(_ offsets: [Offset], most: Int? = nil) -> String {
        var parts: [String] = []
        var start = 0
        while start < offsets.count {
            if let most, parts.count == most {
                parts.append("… and \((offsets.count - start).grouped) more")
                break
            }
            var end = start
            while end + 1 < offsets.count, offsets[end + 1] == offsets[end] + 1 { end += 1 }
            parts.append(start == end ? "\(offsets[start])" : "\(offsets[start])–\(offsets[end])")
            start = end + 1
        }
        return parts.joined(separator: ", ")
    }
}
