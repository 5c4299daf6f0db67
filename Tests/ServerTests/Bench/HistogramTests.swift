import Testing

@testable import Server

struct HistogramTests {
    @Test func `an empty one has nothing but zeros`() {
        #expect(Histogram().count == 0)
        #expect(Histogram().value(at: 0.99) == 0)
    }

    @Test(
        arguments: [0, 1, 127, 128, 255, 256, 257, 1000, 65_535, 65_536, 1 << 40, (1 << 63) + 12345, .max] as [UInt64]
    )
    func `a value comes back within one per cent, and never less`(value: UInt64) {
        var histogram = Histogram()
        histogram.record(value)
        histogram.record(.max)
        let found = histogram.value(at: 0.5)
        #expect(found >= value)
        #expect(Double(found) <= Double(value) * 1.01)
        #expect(histogram.greatest == .max)
    }

    @Test func `what is small is exact, and the greatest is never passed`() {
        for value in 0..<256 as Range<UInt64> {
            var histogram = Histogram()
            histogram.record(value)
            #expect(histogram.value(at: 0.5) == value)
        }
        var histogram = Histogram()
        histogram.record(1_000_000)
        #expect(histogram.value(at: 1) == 1_000_000)
    }

    @Test(arguments: [(0.0, 1), (0.01, 1), (0.5, 50), (0.505, 51), (0.99, 99), (0.999, 100), (1.0, 100)])
    func `a share of the values doesn't exceed the value at it`(share: Double, value: UInt64) {
        var histogram = Histogram()
        for number in (1...100).reversed() as ReversedCollection<ClosedRange<UInt64>> { histogram.record(number) }
        #expect(histogram.value(at: share) == value)
    }

    @Test func `two that are added are as one that has seen all`() {
        var (all, low, high) = (Histogram(), Histogram(), Histogram())
        for number in 0..<5000 as Range<UInt64> {
            let value = number * number
            all.record(value)
            if number < 1000 { low.record(value) } else { high.record(value) }
        }
        var sum = low
        sum.add(high)
        #expect(sum == all)
        high.add(low)
        #expect(high == all)
    }
}
