import NIOCore
import Synchronization

/// When each message of a steady sender is due, whether or not the ones before it have come through: the time that one
/// waits to be sent counts for its latency.
final class BenchPace: Sendable {
    private let messagesPerSecond: Int
    private let begin = Atomic<UInt64>(.max)

    init(messagesPerSecond: Int) { self.messagesPerSecond = messagesPerSecond }

    /// The first message is due now.
    func start() { begin.store(NIODeadline.now().uptimeNanoseconds, ordering: .relaxed) }

    /// How many messages are due by now.
    var due: Int {
        let (begin, now) = (begin.load(ordering: .relaxed), NIODeadline.now().uptimeNanoseconds)
        guard now >= begin else { return 0 }
        return Int((now - begin) * UInt64(messagesPerSecond) / 1_000_000_000) + 1
    }

    /// The time since message `number`, from 0, was due.
    func microseconds(since number: Int) -> UInt64 {
        let due = begin.load(ordering: .relaxed) + dueNanoseconds(number)
        let now = NIODeadline.now().uptimeNanoseconds
        return now > due ? (now - due) / 1000 : 0
    }

    /// Wakes `socket` whenever one of `messages` is due, until all are.
    func run(_ socket: BenchSocket<some BenchClient>, messages: Int) async throws {
        start()
        let start = ContinuousClock.now
        for number in 0..<messages {
            let at = start + .nanoseconds(Int64(dueNanoseconds(number)))
            if at > .now { try await Task.sleep(until: at, clock: .continuous) }
            socket.wake()
        }
    }

    private func dueNanoseconds(_ number: Int) -> UInt64 {
        // Rounded up: a message is never early.
        (UInt64(number) * 1_000_000_000 + UInt64(messagesPerSecond) - 1) / UInt64(messagesPerSecond)
    }
}
