package import Broker
internal import LMDB

/// The view of conversations as it is at one moment: what is read from one of these belongs together.
///
/// A read transaction: it ends with the value, which must not be kept across a suspension.
package struct ConversationsReading: ~Copyable {
    private let snapshot: ViewSnapshot

    init(_ view: View) throws { snapshot = try view.snapshot() }

    /// The offset that this reflects.
    package var asOf: Offset { snapshot.asOf }

    /// How far a conversation has come, and its two readers.
    ///
    /// - Parameter peer: Nil in a room.
    package func state(
        of stream: StreamID,
        reader: AccountID,
        peer: AccountID?
    ) throws -> ConversationsView.Snapshot {
        ConversationsView.Snapshot(
            asOf: asOf,
            messageCount: try messageCount(of: stream),
            readerMark: try mark(of: reader, in: stream),
            peerMark: try peer.map { try mark(of: $0, in: stream) } ?? 0
        )
    }

    /// The ordinal of the first message after `offset`; the number of messages + 1 if there is none.
    ///
    /// At most 1 + log2(messages) look-ups.
    package func firstOrdinal(in stream: StreamID, after offset: Offset) throws -> UInt64 {
        try OrdinalSearch.firstOrdinal(
            of: stream,
            atOrAfter: offset == .max ? .max : offset + 1,
            count: try messageCount(of: stream),
            in: snapshot.transaction,
            snapshot.tables[1]
        )
    }

    /// Hands messages to `body`, beginning with the one at `ordinal`, until it returns false, `limit` are handed over,
    /// or there are no more.
    ///
    /// For a long answer call it again and again with a `limit`, each time on another snapshot.
    package func forEachMessage(
        in stream: StreamID,
        from ordinal: UInt64,
        newestFirst: Bool,
        limit: Int,
        _ body: (borrowing MessageRow) throws -> Bool
    ) throws {
        guard limit > 0 else { return }
        var left = limit
        // Two closures and not one function for both: what a function captures is checked at each access.
        if newestFirst {
            let end = Key(stream, ordinal == .max ? .max : ordinal + 1)
            try snapshot.transaction.scanBackwards(snapshot.tables[1], before: end.span) { key, value in
                guard key.begins(with: stream) else { return false }
                left -= 1
                return try body(MessageRow(value)) && left > 0
            }
        } else {
            try snapshot.transaction.scan(snapshot.tables[1], from: Key(stream, ordinal).span) { key, value in
                guard key.begins(with: stream) else { return false }
                left -= 1
                return try body(MessageRow(value)) && left > 0
            }
        }
    }

    private func messageCount(of stream: StreamID) throws -> UInt64 {
        try ConversationsView.row(of: stream, in: snapshot.transaction, snapshot.tables).messageCount
    }

    private func mark(of reader: AccountID, in stream: StreamID) throws -> Offset {
        try ConversationsView.mark(of: reader, in: stream, snapshot.transaction, snapshot.tables)
    }
}
