import Synchronization

/// How far a run is, for the progress bar.
final class MessageProgress: Sendable {
    let deliveries = Atomic<Int>(0)
    /// A room's messages that its senders received.
    let echoes = Atomic<Int>(0)
    let acks = Atomic<Int>(0)

    var deliveryCount: Int { deliveries.load(ordering: .relaxed) }
    var echoCount: Int { echoes.load(ordering: .relaxed) }
    var ackCount: Int { acks.load(ordering: .relaxed) }

    /// Grows as long as anything moves.
    var sum: Int { deliveryCount + echoCount + ackCount }
}
