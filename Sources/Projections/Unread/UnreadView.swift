package import Broker
internal import LMDB

/// What the view of unread counts is asked.
///
/// Any thread; each call is one short read.
package struct UnreadView: Sendable {
    package let view: View

    package init(_ view: View) {
        precondition(view.projection == UnreadProjection.self)
        self.view = view
    }

    /// What an account hasn't read, over all its conversations and rooms; those with nothing unread are left out.
    package struct Counts: Equatable, Sendable {
        /// The offset that this reflects.
        package var asOf: Offset
        /// By peer, in the order of the conversations' ids, which says nothing.
        package var direct: [Item]
        /// By room, in the order of ids.
        package var rooms: [Item]

        package struct Item: Equatable, Sendable {
            /// The peer, or the room.
            package var id: Identifier
            package var count: UInt64
        }
    }

    /// One count, with the numbers that explain it.
    package struct Explanation: Equatable, Sendable {
        /// The ordinal of the newest message.
        package var head: UInt64
        /// The ordinal read up to.
        package var mark: UInt64
        /// The reader's own messages up to the head.
        package var ownAtHead: UInt64
        /// The reader's own messages up to the mark.
        package var ownAtMark: UInt64
        /// Deleted messages of others above the mark.
        package var deletedOfOthers: UInt64
        /// Whether it counts: false in a room that was left.
        package var isActive: Bool

        /// What is unread.
        package var count: UInt64 {
            guard isActive else { return 0 }
            // Whole rows never give less than nothing; a damaged one must not take the server down.
            let count = (head &- mark) &- (ownAtHead &- ownAtMark) &- deletedOfOthers
            return count <= head ? count : 0
        }
    }

    /// What `account` hasn't read.
    package func counts(of account: AccountID) throws -> Counts {
        try view.read { transaction, tables, asOf in
            var counts = Counts(asOf: asOf, direct: [], rooms: [])
            try transaction.scan(tables[2], from: Key(account).span) { key, value in
                guard key.begins(with: account) else { return false }
                guard key.count == 2 * Identifier.byteCount else { throw LMDBError.malformed("a key of members") }
                let member = try UnreadMemberRow(value)
                guard member.isActive else { return true }
                let stream = key.extracting(Identifier.byteCount..<key.count)
                let head = try HeadRow(ifAny: transaction.value(of: stream, in: tables[0]))
                let explanation = try Self.explain(member, account, Identifier(stream), head, in: transaction, tables)
                let item = Counts.Item(id: member.subject, count: explanation.count)
                guard item.count > 0 else { return true }
                if member.isRoom { counts.rooms.append(item) } else { counts.direct.append(item) }
                return true
            }
            return counts
        }
    }

    /// What `account` hasn't read in `stream`; nil if it has nothing to do with it.
    package func count(of account: AccountID, in stream: StreamID) throws -> Answer<Explanation?> {
        try view.read { transaction, tables, asOf in
            guard let value = try transaction.value(of: Key(account, stream).span, in: tables[2]) else {
                return Answer(nil, asOf: asOf)
            }
            let head = try HeadRow(ifAny: transaction.value(of: Key(stream).span, in: tables[0]))
            return Answer(
                try Self.explain(UnreadMemberRow(value), account, stream, head, in: transaction, tables),
                asOf: asOf
            )
        }
    }

    private static func explain(
        _ member: UnreadMemberRow,
        _ account: AccountID,
        _ stream: StreamID,
        _ head: HeadRow,
        in transaction: borrowing ReadTransaction,
        _ tables: [Table]
    ) throws -> Explanation {
        var deleted: UInt64 = 0
        if head.deletions > 0, member.mark < head.ordinal {
            try transaction.scan(tables[4], from: Key(stream, member.mark + 1).span) { key, sender in
                guard key.begins(with: stream) else { return false }
                if Identifier(sender) != account { deleted += 1 }
                return true
            }
        }
        return Explanation(
            head: head.ordinal,
            mark: member.mark,
            ownAtHead: member.own,
            ownAtMark: member.ownAtMark,
            deletedOfOthers: deleted,
            isActive: member.isActive
        )
    }
}
