import Broker

/// Holds what was acknowledged and received against what is stored.
struct MessageLedger: Sendable {
    private let acknowledged: [[Offset]]
    private let sendersOfRoom: Int
    /// Of each room, what was stored and in which order.
    private(set) var stored: [MessageTally]

    /// - Parameters:
    ///   - acknowledged: The offset of each message, by sender and number; all senders have sent as many.
    ///   - sendersOfRoom: The senders stand room after room, as many of each.
    init(acknowledged: [[Offset]], sendersOfRoom: Int) {
        self.acknowledged = acknowledged
        self.sendersOfRoom = sendersOfRoom
        let each = acknowledged.first?.count ?? 0
        stored = stride(from: 0, to: acknowledged.count, by: sendersOfRoom).map {
            MessageTally(senders: sendersOfRoom, each: each, first: $0)
        }
    }

    /// Takes in the next message of those that are stored, each room's oldest first.
    ///
    /// - Throws: ``BenchFailure`` if it wasn't sent, comes twice or was acknowledged with another offset.
    mutating func take(_ mark: BenchMark, at offset: Offset) throws {
        guard acknowledged.indices.contains(mark.sender) else {
            throw BenchFailure("message \(mark.number) of sender \(mark.sender) is stored and was never sent")
        }
        try stored[mark.sender / sendersOfRoom].receive(mark)
        let promised = acknowledged[mark.sender][mark.number]
        guard promised == offset else {
            throw BenchFailure(
                "message \(mark.number) of sender \(mark.sender) is at offset \(offset), acknowledged was \(promised)"
            )
        }
    }

    /// - Parameter received: What each subscriber got, by room.
    /// - Throws: ``BenchFailure`` if something isn't stored, or somebody got it in another order.
    func check(received: [[MessageTally]]) throws {
        let count = stored.map(\.count).reduce(0, +)
        let sent = acknowledged.map(\.count).reduce(0, +)
        guard count == sent else { throw BenchFailure("\(count.grouped) of \(sent.grouped) messages are stored") }
        for (room, tallies) in received.enumerated() {
            for (index, tally) in tallies.enumerated() where tally != stored[room] {
                throw BenchFailure("subscriber \(index) of room \(room) got the messages in another order than stored")
            }
        }
    }
}
