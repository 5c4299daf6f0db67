/// Ascending offsets: added at the end, taken away from the front and, now and then, in the middle.
///
/// Each operation takes constant time over many, a removal from the middle a search by halving. Memory is at most twice
/// what is held, and a little.
struct UnreadOffsets: Sendable {
    /// Those before `first` are gone, and those with `removedBit`.
    private var offsets: [Offset] = []
    private var first = 0
    private var removedCount = 0

    /// Offsets are below 2^53, so it is free.
    private static let removedBit: Offset = 1 << 63

    /// What is held, ascending.
    var all: [Offset] { offsets[first...].filter { $0 & Self.removedBit == 0 } }

    /// Adds `offset`, which must be greater than all before.
    mutating func append(_ offset: Offset) { offsets.append(offset) }

    mutating func removeAll(upTo bound: Offset) {
        while first < offsets.count, offsets[first] & ~Self.removedBit <= bound {
            if offsets[first] & Self.removedBit != 0 { removedCount -= 1 }
            first += 1
        }
        compact()
    }

    /// Takes `offset` away, if it is held.
    mutating func remove(_ offset: Offset) {
        var low = first
        var high = offsets.count
        while low < high {
            let middle = low + (high - low) / 2
            if offsets[middle] & ~Self.removedBit < offset { low = middle + 1 } else { high = middle }
        }
        // What is removed already has its bit set, and so isn't equal.
        guard low < offsets.count, offsets[low] == offset else { return }
        offsets[low] |= Self.removedBit
        removedCount += 1
        compact()
    }

    /// Copies what is held once it is less than half.
    private mutating func compact() {
        guard first + removedCount > offsets.count / 2 else { return }
        offsets = all
        first = 0
        removedCount = 0
    }
}
