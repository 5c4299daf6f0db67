import NIOCore
import Testing

@testable import Server

/// Replies keep the order of their requests, whatever the order in which they become known.
@Suite struct ReplyQueueTests {
    private func json(_ text: String) -> ReplyQueue.Reply { .json(ByteBuffer(string: text)) }

    private func popAll(_ queue: inout ReplyQueue, upTo offset: UInt64 = .max) -> [String] {
        var texts: [String] = []
        while let reply = queue.popReady(upTo: offset) {
            if case .json(let json) = reply { texts.append(String(buffer: json)) } else { texts.append("-") }
        }
        return texts
    }

    @Test func `a reply that is ready waits for the one before it`() {
        var queue = ReplyQueue()
        queue.await(.mark(ref: nil))
        queue.append(json("second"))
        #expect(popAll(&queue) == [])
        queue.fulfil(json("first"), at: 7)
        #expect(popAll(&queue) == ["first", "second"])
        #expect(queue.isEmpty)
    }

    @Test func `a reply that tells of an event waits for its place among the events`() {
        var queue = ReplyQueue()
        queue.await(.mark(ref: nil))
        queue.await(.mark(ref: nil))
        queue.fulfil(json("5"), at: 5)
        queue.fulfil(json("9"), at: 9)
        #expect(popAll(&queue, upTo: 4) == [])
        #expect(popAll(&queue, upTo: 5) == ["5"])
        #expect(popAll(&queue, upTo: 9) == ["9"])
    }

    @Test func `receipts are taken in the order of submission, over ready replies in between`() {
        var queue = ReplyQueue()
        queue.await(.mark(ref: [1]))
        queue.append(json("in between"))
        queue.await(.mark(ref: [2]))
        guard case .mark(let first)? = queue.nextAwaited() else {
            Issue.record("nothing is awaited")
            return
        }
        #expect(first == [1])
        queue.fulfil(json("one"), at: 1)
        guard case .mark(let second)? = queue.nextAwaited() else {
            Issue.record("nothing is awaited")
            return
        }
        #expect(second == [2])
        queue.fulfil(json("two"), at: 2)
        #expect(queue.nextAwaited() == nil)
        #expect(popAll(&queue) == ["one", "in between", "two"])
    }

    @Test func `a silent mark leaves no bytes and holds nobody up`() {
        var queue = ReplyQueue()
        queue.await(.silentMark)
        queue.append(json("after"))
        queue.fulfil(nil, at: 3)
        #expect(popAll(&queue) == ["-", "after"])
    }

    /// Every order in which four requests, half of them commands, can be fulfilled gives the same replies.
    @Test func `random interleavings keep the order`() {
        var generator = SeededGenerator(seed: 20_261_121)
        for round in 0..<2_000 {
            var queue = ReplyQueue()
            var expected: [String] = []
            var got: [String] = []
            var awaited: [String] = []
            for step in 0..<12 {
                let text = "\(round).\(step)"
                switch Int.random(in: 0..<3, using: &generator) {
                case 0:
                    queue.await(.mark(ref: nil))
                    awaited.append(text)
                    expected.append(text)
                case 1:
                    queue.append(json(text))
                    expected.append(text)
                default:
                    guard !awaited.isEmpty else { continue }
                    queue.fulfil(json(awaited.removeFirst()), at: UInt64(step))
                    got += popAll(&queue, upTo: UInt64(step))
                }
            }
            for text in awaited { queue.fulfil(json(text), at: 99) }
            got += popAll(&queue)
            #expect(got == expected, "seed 20261121, round \(round)")
        }
    }
}

extension Optional where Wrapped == ReplyQueue.Awaited {
    fileprivate static func == (left: Self, right: _OptionalNilComparisonType) -> Bool {
        if case .none = left { true } else { false }
    }
}

/// SplitMix64 (Steele, Lea, Flood, 2014): the same numbers for a seed everywhere.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
