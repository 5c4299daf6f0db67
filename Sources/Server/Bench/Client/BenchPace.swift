import NIOCore
import Synchronization

/// When each message of a steady stream is due, whether or not the ones before it have come through: the time that one
/// waits to be sent counts for its latency.
///
/// Several senders take turns: message n of all is the next one of sender n modulo their number.
final class BenchPace: Sendable {
    private let messagesPerSecond: Int
    private let senders: Int
    private let begin = Atomic<UInt64>(.max)

    init(messagesPerSecond: Int, senders: Int = 1) {
        self.messagesPerSecond = messagesPerSecond
        self.senders = senders
    }

    /// The first message is due now.
    func start() { begin.store(NIODeadline.now().uptimeNanoseconds, ordering: .relaxed) }

    /// How many messages of `sender` are due by now.
    func due(_ sender: Int = 0) -> Int {
        let (begin, now) = (begin.load(ordering: .relaxed), NIODeadline.now().uptimeNanoseconds)
        guard now >= begin else { return 0 }
        let (seconds, rest) = (now - begin).quotientAndRemainder(dividingBy: 1_000_000_000)
        let rate = UInt64(messagesPerSecond)
        let ofAll = Int(seconds * rate + rest * rate / 1_000_000_000) + 1
        return max(0, (ofAll - sender + senders - 1) / senders)
    }

    /// When message `number` of `sender`, both from 0, is due.
    func deadline(of number: Int, sender: Int = 0) -> NIODeadline {
        let (seconds, rest) = (UInt64(number) * UInt64(senders) + UInt64(sender))
            .quotientAndRemainder(dividingBy: UInt64(messagesPerSecond))
        // Rounded up: a message is never early.
        let fraction = (rest * 1_000_000_000 + UInt64(messagesPerSecond) - 1) / UInt64(messagesPerSecond)
        return .uptimeNanoseconds(begin.load(ordering: .relaxed) + seconds * 1_000_000_000 + fraction)
    }

    /// The time since message `number` of `sender` was due.
    func nanoseconds(since number: Int, sender: Int = 0) -> UInt64 {
        UInt64(max(0, (NIODeadline.now() - deadline(of: number, sender: sender)).nanoseconds))
    }
}
