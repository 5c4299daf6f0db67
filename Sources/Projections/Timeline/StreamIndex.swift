internal import Broker
internal import LMDB

/// The messages and changes of streams by offset, as the view of conversations keeps them.
struct StreamIndex {
    private let streams: Table
    private let messages: Table
    private let conversations: Table
    private let changes: Table

    /// - Parameter tables: Those of ``ConversationsProjection``.
    init(_ tables: [Table]) {
        streams = tables[0]
        messages = tables[1]
        conversations = tables[4]
        changes = tables[5]
    }

    /// Hands the streams of the direct conversations of `account` to `body`.
    func forEachConversation(
        of account: AccountID,
        in transaction: borrowing ReadTransaction,
        _ body: (StreamID) throws -> Void
    ) throws {
        try transaction.scan(conversations, from: Key(account).span) { key, value in
            guard key.begins(with: account) else { return false }
            guard value.count == Identifier.byteCount else { throw LMDBError.malformed("a row of by_account") }
            try body(Identifier(value))
            return true
        }
    }

    /// Where what happened in `stream` after `offset`, up to `end`, begins: none, one or two sources.
    func sources(
        of stream: StreamID,
        after offset: Offset,
        upTo end: Offset,
        includesChanges: Bool,
        in transaction: borrowing ReadTransaction
    ) throws -> [TimelineSource] {
        guard offset < end, let value = try transaction.value(of: Key(stream).span, in: streams) else { return [] }
        let row = try StreamRow(value)
        var sources: [TimelineSource] = []
        if row.state.lastMessage > offset {
            let ordinal = try OrdinalSearch.firstOrdinal(
                of: stream,
                atOrAfter: offset + 1,
                count: row.messageCount,
                in: transaction,
                messages
            )
            if let found = try transaction.number(of: Key(stream, ordinal), in: messages), found <= end {
                sources.append(TimelineSource(messagesOf: stream, at: found, ordinal: ordinal, end: end))
            }
        }
        guard includesChanges, row.lastChange > offset else { return sources }
        try transaction.scan(changes, from: Key(stream, offset + 1).span) { key, _ in
            guard key.begins(with: stream) else { return false }
            let found = try self.offset(inKey: key)
            if found <= end { sources.append(TimelineSource(changesOf: stream, at: found, end: end)) }
            return false
        }
        return sources
    }

    /// Appends the offset of `source`, and those after it that are below `bound`, until there are `count` in `offsets`.
    ///
    /// Appends nothing if it throws.
    ///
    /// - Returns: The source where it goes on; nil if it is at its end.
    func run(
        of source: TimelineSource,
        before bound: Offset,
        upTo count: Int,
        in transaction: borrowing ReadTransaction,
        into offsets: inout [Offset]
    ) throws -> TimelineSource? {
        let start = offsets.count
        offsets.append(source.offset)
        var reached = source
        var next: TimelineSource?
        do {
            try forEachOffset(after: source, in: transaction) { offset in
                guard offset <= source.end else { return false }
                reached.offset = offset
                reached.ordinal += 1
                guard offset < bound, offsets.count < count else {
                    next = reached
                    return false
                }
                offsets.append(offset)
                return true
            }
        } catch {
            offsets.removeSubrange(start...)
            throw error
        }
        return next
    }

    private func forEachOffset(
        after source: TimelineSource,
        in transaction: borrowing ReadTransaction,
        _ body: (Offset) -> Bool
    ) throws {
        let stream = source.stream
        if source.kind == .messages {
            try transaction.scan(messages, from: Key(stream, source.ordinal + 1).span) { key, value in
                guard key.begins(with: stream) else { return false }
                return body(try value.firstNumber())
            }
        } else {
            try transaction.scan(changes, from: Key(stream, source.offset + 1).span) { key, _ in
                guard key.begins(with: stream) else { return false }
                return body(try offset(inKey: key))
            }
        }
    }

    /// The offset in a key of the table `changes`.
    private func offset(inKey key: Span<UInt8>) throws -> Offset {
        guard key.count == Identifier.byteCount + 8 else { throw LMDBError.malformed("a key of changes") }
        return key.bigEndian(at: Identifier.byteCount)
    }
}
