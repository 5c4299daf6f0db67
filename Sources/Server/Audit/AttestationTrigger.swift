import Broker
import Synchronization

/// When the views' digests are due: the log has passed a multiple of so many events, and not by attestations alone.
struct AttestationSchedule: Sendable {
    let everyEvents: UInt64
    private var isOwed = false

    /// - Parameter everyEvents: 1 or more.
    init(everyEvents: UInt64) { self.everyEvents = everyEvents }

    /// Takes in the next events of the log.
    ///
    /// - Parameter areOthers: Whether something else than attestations is among them. Those that pass a multiple are
    ///   not answered by more of their kind, for ever, but by the next event of another.
    /// - Returns: Whether attestations are due now.
    mutating func isDue(after events: ClosedRange<Offset>, areOthers: Bool) -> Bool {
        if events.upperBound / everyEvents > (events.lowerBound - 1) / everyEvents { isOwed = true }
        guard isOwed, areOthers else { return false }
        isOwed = false
        return true
    }
}

/// Follows the log and tells ``ViewAttestor`` when attestations are due.
final class AttestationTrigger: CommitSubscriber {
    /// The offsets at which they were due; while one is being worked on, only the newest is kept.
    let due: AsyncStream<Offset>
    private let continuation: AsyncStream<Offset>.Continuation
    private let schedule: Mutex<AttestationSchedule>

    init(everyEvents: UInt64) {
        (due, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        schedule = Mutex(AttestationSchedule(everyEvents: everyEvents))
    }

    func committed(_ batch: CommittedBatch) {
        let events = batch.events
        guard !events.isEmpty else { return }
        let areOthers = events.entries.contains { $0.header.type != .viewAttested }
        if schedule.withLock({ $0.isDue(after: events.first...events.last, areOthers: areOthers) }) {
            continuation.yield(events.last)
        }
    }
}
