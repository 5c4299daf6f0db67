package import Broker
internal import LMDB

/// What the view of conversations is asked.
///
/// Any thread; each call is one short read.
package struct ConversationsView: Sendable {
    package let view: View

    package init(_ view: View) {
        precondition(view.projection == ConversationsProjection.self)
        self.view = view
    }

    /// What a query about a conversation begins with.
    package struct Snapshot: Equatable, Sendable {
        /// The offset that this reflects.
        package var asOf: Offset
        /// The messages, deleted ones included; the newest has this ordinal.
        package var messageCount: UInt64
        /// The offset that the reader has read up to; 0 for none.
        package var readerMark: Offset
        /// The offset that the peer has read up to; 0 for none or without a peer.
        package var peerMark: Offset
    }

    /// The view as it is now, for what belongs together.
    package func reading() throws -> ConversationsReading { try ConversationsReading(view) }

    /// What the writer asks about a stream.
    package func state(of stream: StreamID) throws -> Answer<StreamState> {
        try view.read { transaction, tables, asOf in
            Answer(try Self.row(of: stream, in: transaction, tables).state, asOf: asOf)
        }
    }

    /// The offset up to which `reader` has read `stream`; 0 for not at all.
    package func mark(of reader: AccountID, in stream: StreamID) throws -> Answer<Offset> {
        try view.read { transaction, tables, asOf in
            Answer(try Self.mark(of: reader, in: stream, transaction, tables), asOf: asOf)
        }
    }

    /// The first message that `sender` sent with the message id of that hash.
    package func message(withID hash: Identifier, from sender: AccountID) throws -> Answer<Offset?> {
        try view.read { transaction, tables, asOf in
            Answer(try transaction.number(of: Key(sender, hash), in: tables[3]), asOf: asOf)
        }
    }

    /// The ordinal of the message at `offset`; nil if `stream` has none there.
    package func location(of offset: Offset, in stream: StreamID) throws -> Answer<UInt64?> {
        try view.read { transaction, tables, asOf in
            var found: UInt64?
            try Self.find(offset, in: stream, transaction, tables) { ordinal, _ in found = ordinal }
            return Answer(found, asOf: asOf)
        }
    }

    /// Whether the message at the offset `message` has been deleted; false if `stream` has none there.
    package func isDeleted(_ message: Offset, in stream: StreamID) throws -> Answer<Bool> {
        try view.read { transaction, tables, asOf in
            var isDeleted = false
            try Self.find(message, in: stream, transaction, tables) { _, row in isDeleted = row.isDeleted }
            return Answer(isDeleted, asOf: asOf)
        }
    }

    /// The newest edit of the message at the offset `message`; 0 if there is none.
    package func newestEdit(of message: Offset, in stream: StreamID) throws -> Answer<Offset> {
        try view.read { transaction, tables, asOf in
            var edit: Offset = 0
            try Self.find(message, in: stream, transaction, tables) { _, row in edit = row.editOffset }
            return Answer(edit, asOf: asOf)
        }
    }

    /// Hands the message at `offset`, with its ordinal, to `body`, if `stream` has one there.
    private static func find(
        _ offset: Offset,
        in stream: StreamID,
        _ transaction: borrowing ReadTransaction,
        _ tables: [Table],
        _ body: (UInt64, borrowing MessageRow) -> Void
    ) throws {
        let ordinal = try OrdinalSearch.firstOrdinal(
            of: stream,
            atOrAfter: offset,
            count: try row(of: stream, in: transaction, tables).messageCount,
            in: transaction,
            tables[1]
        )
        guard let value = try transaction.value(of: Key(stream, ordinal).span, in: tables[1]) else { return }
        let row = try MessageRow(value)
        if row.offset == offset { body(ordinal, row) }
    }

    static func row(
        of stream: StreamID,
        in transaction: borrowing ReadTransaction,
        _ tables: [Table]
    ) throws -> StreamRow {
        guard let value = try transaction.value(of: Key(stream).span, in: tables[0]) else { return StreamRow() }
        return try StreamRow(value)
    }

    static func mark(
        of reader: AccountID,
        in stream: StreamID,
        _ transaction: borrowing ReadTransaction,
        _ tables: [Table]
    ) throws -> Offset {
        try transaction.number(of: Key(stream, reader), in: tables[2]) ?? 0
    }
}
