/// Checks that a receiver gets every message exactly once and each sender's in order, and remembers in which order they
/// all came.
struct FanoutTally: Equatable, Sendable {
    private(set) var count = 0
    /// The same for two receivers if and (but for a collision of 64 bits) only if they got the same in the same order.
    private(set) var order: UInt64 = 0xcbf2_9ce4_8422_2325
    private var next: [Int]
    private let each: Int

    /// Begins with none of the `each` messages of each sender received.
    init(senders: Int, each: Int) {
        next = Array(repeating: 0, count: senders)
        self.each = each
    }

    var isComplete: Bool { count == next.count * each }

    /// Takes in the next message.
    ///
    /// - Throws: ``BenchFailure`` if it isn't the one that is due.
    mutating func receive(_ mark: BenchMark) throws {
        guard next.indices.contains(mark.sender), mark.number < each else {
            throw BenchFailure("message \(mark.number) of sender \(mark.sender) was never sent")
        }
        let due = next[mark.sender]
        guard mark.number == due else {
            let what = mark.number < due ? "came again or late" : "came while \(due) was due"
            throw BenchFailure("message \(mark.number) of sender \(mark.sender) \(what)")
        }
        next[mark.sender] = due + 1
        count += 1
        // FNV-1a, a step for each number.
        order = (order ^ UInt64(mark.sender)) &* 0x100_0000_01b3
        order = (order ^ UInt64(mark.number)) &* 0x100_0000_01b3
    }
}
