internal import LMDB

extension BatchCache {
    /// Orders things that belong to rows by the keys of those rows, those of one row as they come.
    ///
    /// In linear time but for the rows, where there are more things than rows.
    ///
    /// - Parameters:
    ///   - place: The place of a thing's row.
    ///   - isBefore: The order of the keys.
    /// - Returns: The indices of `things` in that order.
    func order<Thing>(
        _ things: [Thing],
        by place: (Thing) -> UInt32,
        _ isBefore: (Key, Key) -> Bool = { $0 < $1 }
    ) -> [UInt32] {
        guard things.count > count else {
            return things.indices.sorted { left, right in
                let (one, other) = (place(things[left]), place(things[right]))
                return one == other ? left < right : isBefore(key(at: Int(one)), key(at: Int(other)))
            }
            .map { UInt32($0) }
        }
        // A counting sort by the rank of the row.
        var ranks: [UInt32] = Array(repeating: 0, count: count)
        for (rank, place) in sortedPlaces(isBefore).enumerated() { ranks[place] = UInt32(rank) }
        var next: [UInt32] = Array(repeating: 0, count: count + 1)
        for thing in things { next[Int(ranks[Int(place(thing))]) + 1] += 1 }
        for rank in ranks.indices { next[rank + 1] += next[rank] }
        var order = [UInt32](inLargePages: 0, count: things.count)
        for (index, thing) in things.enumerated() {
            let rank = Int(ranks[Int(place(thing))])
            order[Int(next[rank])] = UInt32(index)
            next[rank] += 1
        }
        return order
    }
}

/// Finds where many things of one row follow one another in an order.
struct RunFinder {
    private var last: UInt32?

    /// How many they are at least.
    private static let least = 8

    /// Whether a run begins at `place`; to be asked for every place, in ascending order.
    ///
    /// - Parameter row: The row of a thing.
    mutating func beginsRun(at place: Int, _ order: [UInt32], by row: (UInt32) -> UInt32) -> Bool {
        let this = row(order[place])
        guard this != last else { return false }
        last = this
        let end = place + Self.least - 1
        return end < order.count && row(order[end]) == this
    }
}
