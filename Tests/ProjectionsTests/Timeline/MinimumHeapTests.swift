import Testing

@testable import Projections

struct MinimumHeapTests {
    @Test(arguments: [1, 2, 3] as [UInt64])
    func `the least and the least but one are those of a sorted array, whatever is done`(seed: UInt64) {
        print("seed \(seed)")
        var random = SeededRandom(seed: seed)
        for size in 0..<40 {
            var sorted = (0..<size).map { _ in random.below(30) }
            var heap = MinimumHeap(sorted)
            sorted.sort()
            for _ in 0..<100 {
                #expect(heap.first == sorted.first)
                #expect(heap.second == sorted.dropFirst().first)
                #expect(heap.isEmpty == sorted.isEmpty)
                let value = random.below(30)
                switch random.below(3) {
                case 0:
                    heap.insert(value)
                    sorted.append(value)
                case 1 where !sorted.isEmpty:
                    heap.replaceFirst(with: value)
                    sorted[0] = value
                case 2 where !sorted.isEmpty:
                    heap.replaceFirst(with: nil)
                    sorted.removeFirst()
                default: break
                }
                sorted.sort()
            }
        }
    }

    @Test func `everything comes out in order`() {
        var random = SeededRandom(seed: 4)
        let values = (0..<1000).map { _ in random.next() }
        var heap = MinimumHeap(values)
        var taken: [UInt64] = []
        while let least = heap.first {
            taken.append(least)
            heap.replaceFirst(with: nil)
        }
        #expect(taken == values.sorted())
    }
}
