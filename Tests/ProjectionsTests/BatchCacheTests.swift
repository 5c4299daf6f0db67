import Testing

@testable import Broker
@testable import Projections

/// Rows by key, against a dictionary.
struct BatchCacheTests {
    @Test(arguments: [81, 82] as [UInt64])
    func `every key has one place, whatever came before`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var cache = BatchCache<Pair, Int>()
        for round in 0..<3 {
            var expected: [String: Int] = [:]
            // Few values in each word, so that keys share words.
            for step in 0..<6000 {
                let key = Pair(
                    Identifier(high: UInt64(random.below(4)), low: UInt64(random.below(40))),
                    Identifier(high: 0, low: UInt64(random.below(40)))
                )
                let name = "\(key.first) \(key.second)"
                let place = cache.place(of: key) { round * 10_000 + step }
                #expect(cache[place] == expected[name, default: round * 10_000 + step])
                #expect(cache.key(at: place) == key)
                cache[place] += 1
                expected[name] = cache[place]
            }
            #expect(cache.count == expected.count)
            #expect(cache.heldBytes >= cache.count * 40)
            var keys: [Pair] = []
            cache.forEach { key, value in
                keys.append(key)
                #expect(expected["\(key.first) \(key.second)"] == value)
            }
            #expect(keys.count == expected.count && keys == keys.sorted())
            cache.discard()
            #expect(cache.count == 0)
        }
    }

    @Test func `a load that throws leaves no place`() throws {
        struct No: Error {}
        var cache = BatchCache<Identifier, Int>()
        let key = Identifier(high: 1, low: 2)
        #expect(throws: No.self) { _ = try cache.place(of: key) { throw No() } }
        #expect(cache.count == 0)
        let place = cache.place(of: key) { 7 }
        #expect(cache[place] == 7)
    }

    /// Below, at and above as many things as there are rows: compared or counted.
    @Test(arguments: [0, 1, 20, 30, 31, 500])
    func `things come in the order of their rows' keys, those of one row as they were`(count: Int) {
        var random = SeededRandom(seed: 83)
        var cache = BatchCache<Identifier, Int>()
        for _ in 0..<30 { _ = cache.place(of: Identifier(high: random.next(), low: 0)) { 0 } }
        let things = (0..<count).map { _ in UInt32(random.below(30)) }
        let order = cache.order(things, by: { $0 })
        let expected = things.indices.sorted {
            let (one, other) = (cache.key(at: Int(things[$0])), cache.key(at: Int(things[$1])))
            return one == other ? $0 < $1 : one < other
        }
        #expect(order == expected.map { UInt32($0) })
        let backwards = cache.order(things, by: { $0 }) { $0 > $1 }.map { cache.key(at: Int(things[Int($0)])) }
        #expect(backwards == expected.reversed().map { cache.key(at: Int(things[$0])) })
    }
}
