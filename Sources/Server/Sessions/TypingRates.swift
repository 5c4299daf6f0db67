import Broker
import NIOCore
import Synchronization

/// How often it is passed on that somebody types: once a second for each user and conversation, the last word being
/// passed on late rather than lost.
final class TypingRates: Sendable {
    /// What to do with a word about typing.
    enum Verdict: Equatable {
        case pass
        /// Ask again with ``due(_:now:)`` after this time.
        case hold(TimeAmount)
        case drop
    }

    private struct Entry {
        var passedAt: NIODeadline
        var passed: Bool
        /// What was said since and waits for its second.
        var held: Bool?
        var isScheduled = false
    }

    private struct State {
        var entries: [Command.Conversation: Entry] = [:]
        var purgedAt = NIODeadline.uptimeNanoseconds(0)
    }

    private let entries = Mutex(State())

    private static let interval = TimeAmount.seconds(1)
    /// Past this many conversations, those that have been silent for their second are forgotten.
    private static let capacity = 10_000

    /// How many conversations are remembered.
    var count: Int { entries.withLock { $0.entries.count } }

    /// Somebody says in `conversation` whether they type.
    func say(_ isTyping: Bool, in conversation: Command.Conversation, now: NIODeadline) -> Verdict {
        entries.withLock { state in
            // Who is remembered has spoken within a second or two: to look more often would find nothing to forget.
            if state.entries.count >= Self.capacity, now - state.purgedAt >= Self.interval {
                state.purgedAt = now
                state.entries = state.entries.filter {
                    $0.value.isScheduled || now - $0.value.passedAt < Self.interval
                }
            }
            guard var entry = state.entries[conversation], now - entry.passedAt < Self.interval else {
                state.entries[conversation] = Entry(passedAt: now, passed: isTyping)
                return .pass
            }
            entry.held = isTyping == entry.passed ? nil : isTyping
            let schedules = entry.held != nil && !entry.isScheduled
            if schedules { entry.isScheduled = true }
            state.entries[conversation] = entry
            return schedules ? .hold(Self.interval - (now - entry.passedAt)) : .drop
        }
    }

    /// The second is over.
    ///
    /// - Returns: What to pass on now; nil for nothing.
    func due(_ conversation: Command.Conversation, now: NIODeadline) -> Bool? {
        entries.withLock { state in
            guard var entry = state.entries[conversation] else { return nil }
            entry.isScheduled = false
            let held = entry.held
            if let held { entry = Entry(passedAt: now, passed: held) }
            state.entries[conversation] = entry
            return held
        }
    }
}
