import Broker

@testable import Projections

/// One question for each reading.
extension ConversationsView {
    /// How far a conversation has come, and its two readers.
    ///
    /// - Parameter peer: Nil in a room.
    func snapshot(of stream: StreamID, reader: AccountID, peer: AccountID?) throws -> Snapshot {
        try reading().state(of: stream, reader: reader, peer: peer)
    }

    /// The ordinal of the first message after `offset`; the number of messages + 1 if there is none.
    ///
    /// At most 1 + log2(messages) look-ups.
    func firstOrdinal(in stream: StreamID, after offset: Offset) throws -> UInt64 {
        try reading().firstOrdinal(in: stream, after: offset)
    }

    /// Hands messages to `body`, beginning with the one at `ordinal`, until it returns false, `limit` are handed over,
    /// or there are no more.
    ///
    /// The whole call is one read transaction: for a long answer call it again and again with a `limit`.
    ///
    /// - Returns: The offset that the rows reflect.
    @discardableResult
    func forEachMessage(
        in stream: StreamID,
        from ordinal: UInt64,
        newestFirst: Bool,
        limit: Int,
        _ body: (borrowing MessageRow) throws -> Bool
    ) throws -> Offset {
        let reading = try reading()
        try reading.forEachMessage(in: stream, from: ordinal, newestFirst: newestFirst, limit: limit, body)
        return reading.asOf
    }
}
