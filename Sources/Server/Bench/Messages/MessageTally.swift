/// Checks that a receiver gets every message exactly once and each sender's in order, and remembers in which order they
/// all came.
struct MessageTally: Equatable, Sendable {
    private(set) var count = 0
    /// The same for two receivers if and (but for a collision of 64 bits) only if they got the same in the same order.
    private(set) var order: UInt64 = 0xcbf2_9ce4_8422_2325
    private var next: [Int]
    private let each: Int
    private let first: Int

    /// Begins with none of the `each` messages of each sender received; the senders are numbered from `first` on.
    init(senders: Int, each: Int, first: Int = 0) {
        next = Array(repeating: 0, count: senders)
        self.each = each
        self.first = first
    }

    var isComplete: Bool { count == next.count * each }

    /// Takes in the next message.
    ///
    /// - Throws: ``BenchFailure`` if it isn't the one that is due.
    mutating func receive(_ mark: BenchMark) throws {
        let index = mark.sender - first
        guard next.indices.contains(index), mark.number < each else {
            throw BenchFailure("message \(mark.number) of sender \(mark.sender) was never sent")
        }
        let due = next[index]
        guard mark.number == due else {
            let what = mark.number < due ? "came again or late" : "came while \(due) was due"
            throw BenchFailure("message \(mark.number) of sender \(mark.sender) \(what)")
        }
        next[index] = due + 1
        count += 1
        // FNV-1a, a step for each number.
        order = (order ^ UInt64(mark.sender)) &* 0x100_0000_01b3
        order = (order ^ UInt64(mark.number)) &* 0x100_0000_01b3
    }
}
