import Testing

@testable import LMDB

struct LargePagesTests {
    /// Past 4 MiB, from where on it grows into large pages, several times.
    @Test func `an array that grows into large pages has what was appended`() {
        var numbers: [UInt64] = []
        for number in 0..<3_000_000 as Range<UInt64> { numbers.appendInLargePages(number) }
        #expect(numbers.count == 3_000_000)
        #expect(numbers.enumerated().allSatisfy { UInt64($0) == $1 })
    }

    @Test(arguments: [0, 1, (4 << 20) / 4 - 1, (4 << 20) / 4, 3_000_000])
    func `an array of one element many times`(count: Int) {
        let ones = [UInt32](inLargePages: 7, count: count)
        #expect(ones.count == count)
        #expect(ones.allSatisfy { $0 == 7 })
    }

    @Test func `room for nothing, for a byte and for many`() {
        for capacity in [0, 1, 4095, 4097, 5 << 20] {
            var bytes = [UInt8](largePagesWithCapacity: capacity)
            #expect(bytes.isEmpty && bytes.capacity >= capacity)
            bytes.append(contentsOf: repeatElement(9, count: capacity))
            #expect(bytes.count == capacity && bytes.allSatisfy { $0 == 9 })
        }
    }
}
