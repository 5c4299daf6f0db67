/// How often values came, by size, within 1 % of it and in bounded memory: for latencies, of which the few greatest
/// matter as much as the many small ones.
///
/// Values below 256 are counted each for itself; above, every power of two is split into 128 parts, so that a value
/// comes back at most 1/128 (0.8 %) too great and never too small. Source: Gil Tene's HdrHistogram.
struct Histogram: Equatable, Sendable {
    private var counts: [UInt64] = []
    private(set) var count = 0
    private(set) var greatest: UInt64 = 0

    private static let partBits = 7

    mutating func record(_ value: UInt64) {
        let index = Self.index(of: value)
        if index >= counts.count {
            counts.append(contentsOf: repeatElement(0, count: index + 1 - counts.count))
        }
        counts[index] += 1
        count += 1
        greatest = max(greatest, value)
    }

    /// Adds what `other` has counted.
    mutating func add(_ other: Histogram) {
        if other.counts.count > counts.count {
            counts.append(contentsOf: repeatElement(0, count: other.counts.count - counts.count))
        }
        for (index, more) in other.counts.enumerated() { counts[index] += more }
        count += other.count
        greatest = max(greatest, other.greatest)
    }

    /// The least value, within 1 % above, that `share` (0 to 1) of all values don't exceed; 0 if there are none.
    func value(at share: Double) -> UInt64 {
        let due = max(1, Int((Double(count) * share).rounded(.up)))
        var passed = 0
        for (index, times) in counts.enumerated() {
            passed += Int(times)
            if passed >= due { return min(Self.greatestValue(at: index), greatest) }
        }
        return greatest
    }

    private static func index(of value: UInt64) -> Int {
        let shift = max(0, UInt64.bitWidth - value.leadingZeroBitCount - partBits - 1)
        return (shift << partBits) + Int(value >> UInt64(shift))
    }

    /// The greatest value that is counted at `index`.
    private static func greatestValue(at index: Int) -> UInt64 {
        let shift = max(0, (index >> partBits) - 1)
        let part = UInt64(index - (shift << partBits))
        return (part << UInt64(shift)) | ((1 << UInt64(shift)) - 1)
    }
}
