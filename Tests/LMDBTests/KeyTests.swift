import Testing

@testable import LMDB

/// Keys built of parts sort as the parts do.
@Suite struct KeyTests {
    @Test func `a key holds its parts in order, numbers big-endian`() {
        var key = Key()
        let empty = [UInt8](copying: key.span)
        #expect(empty.isEmpty)
        key.append(0x0102_0304_0506_0708 as UInt64)
        key.append(9 as UInt8)
        key.append([10, 11].span)
        let bytes = [UInt8](copying: key.span)
        #expect(bytes == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
    }

    @Test func `keys sort as their numbers do`() {
        let numbers: [UInt64] = [0, 1, 255, 256, 65_535, 1 << 32, .max - 1, .max]
        let keys = numbers.map { number in
            var key = Key()
            key.append(7 as UInt8)
            key.append(number)
            return [UInt8](copying: key.span)
        }
        for (left, right) in zip(keys, keys.dropFirst()) { #expect(left.lexicographicallyPrecedes(right)) }
    }

    @Test func `a key has 80 bytes at most`() async {
        var full = Key()
        for number in 0..<10 { full.append(UInt64(number)) }
        let ten = full.span.count
        #expect(ten == 80)
        var bytes = Key()
        bytes.append([UInt8](repeating: 1, count: 80).span)
        let eighty = bytes.span.count
        #expect(eighty == 80)

        await #expect(processExitsWith: .failure, "one byte more") {
            var key = Key()
            key.append([UInt8](repeating: 1, count: 80).span)
            key.append(1 as UInt8)
        }
        await #expect(processExitsWith: .failure, "a number that doesn't fit") {
            var key = Key()
            key.append([UInt8](repeating: 1, count: 73).span)
            key.append(1 as UInt64)
        }
        await #expect(processExitsWith: .failure, "bytes that don't fit") {
            var key = Key()
            key.append([UInt8](repeating: 1, count: 81).span)
        }
    }
}
