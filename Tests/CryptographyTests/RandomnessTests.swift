import Testing

@testable import Cryptography

/// Random bytes: as many as asked for, and never the same again.
@Suite struct RandomnessTests {
    @Test(arguments: [0, 1, 16, 4096])
    func `as many bytes come as were asked for`(count: Int) {
        #expect(Randomness.bytes(count).count == count)
    }

    @Test func `no two draws are alike`() {
        #expect(Set((0..<1000).map { _ in Randomness.bytes(16) }).count == 1000)
        #expect(Set((0..<1000).map { _ in Randomness.words().0 }).count == 1000)
        #expect(Set((0..<1000).map { _ in Randomness.words().1 }).count == 1000)
    }

    /// Each bit of a fair source is set in 2,048 of 4,096 draws, give or take 32; twelve times that never happens.
    @Test func `every bit is set about half of the time`() {
        var set = [Int](repeating: 0, count: 128)
        for _ in 0..<4096 {
            let words = Randomness.words()
            for bit in 0..<64 {
                set[bit] += Int(words.0 >> UInt64(bit) & 1)
                set[64 + bit] += Int(words.1 >> UInt64(bit) & 1)
            }
        }
        for (bit, count) in set.enumerated() { #expect((1664...2432).contains(count), "bit \(bit): \(count)") }
    }
}
