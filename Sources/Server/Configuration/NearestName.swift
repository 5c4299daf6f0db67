/// Finds the name that a person most likely meant, for "did you mean …?" of keys and environment variables.
enum NearestName {
    /// The known name nearest to `name`, the first of equals; `nil` only if none is known.
    static func find(_ name: String, among known: [String]) -> String? {
        var best: (name: String, distance: Int)?
        for candidate in known {
            let distance = distance(name, candidate)
            if distance < best?.distance ?? .max { best = (candidate, distance) }
        }
        return best?.name
    }

    /// How far apart two dotted names are: their edit distance, or, for a key in the wrong section or without one,
    /// that of the key and 3.
    private static func distance(_ name: String, _ known: String) -> Int {
        let whole = editDistance(name, known)
        guard let dot = known.firstIndex(of: ".") else { return whole }
        let key = String(known[known.index(after: dot)...])
        let ownKey = name.firstIndex(of: ".").map { String(name[name.index(after: $0)...]) } ?? name
        return min(whole, 3 + editDistance(name, key), 3 + editDistance(ownKey, key))
    }

    /// The fewest insertions, deletions, replacements and swaps of neighbours that turn `left` into `right` (optimal
    /// string alignment), in bytes; O(left × right), so of the first 64 bytes at most.
    static func editDistance(_ left: String, _ right: String) -> Int {
        let (left, right) = (Array(left.utf8.prefix(64)), Array(right.utf8.prefix(64)))
        var beforeLast = Array(repeating: 0, count: right.count + 1)
        var last = Array(0...right.count)
        var current = last
        for row in left.indices {
            current[0] = row + 1
            for column in right.indices {
                var least = min(last[column + 1], current[column]) + 1
                least = min(least, last[column] + (left[row] == right[column] ? 0 : 1))
                if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                    least = min(least, beforeLast[column - 1] + 1)
                }
                current[column + 1] = least
            }
            (beforeLast, last, current) = (last, current, beforeLast)
        }
        return last[right.count]
    }
}
