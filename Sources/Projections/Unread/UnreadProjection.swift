package import Broker
package import Cryptography
package import LMDB

/// Unread counts by subtraction: nothing is counted up and down, so nothing can drift, and each number can be
/// explained.
///
/// unread(r) = (head − mark) − (own(head) − own(mark)) − deleted messages of others above the mark
///
/// | table | key | value |
/// | --- | --- | --- |
/// | heads | stream | ``HeadRow`` |
/// | messages | stream ‖ ordinal, big-endian | ``UnreadMessageRow`` |
/// | members | account ‖ stream | ``UnreadMemberRow`` |
/// | own | room ‖ account ‖ own ordinal, big-endian | ordinal |
/// | deleted | stream ‖ ordinal, big-endian | sender |
///
/// A message writes no row per reader. It uses headers alone. A message whose content is erased counts as before: it is
/// still one that somebody wrote and others haven't seen, and no number changes by what an operator does.
package struct UnreadProjection: Projection {
    package static let name = "unread"
    package static let version = 1
    package static let tables = ["heads", "messages", "members", "own", "deleted"]
    package static let eventTypes: EventTypes = [
        .messageSent, .messagesRead, .messageDeleted, .memberAdded, .memberRemoved,
    ]
    package static let committedTypes: EventTypes = []

    private let tables: Tables
    private var heads = BatchCache<StreamID, HeadRow>()
    private var members = BatchCache<Pair, UnreadMemberRow?>()
    private var messages: [PendingMessage] = []

    private struct Tables {
        var heads, messages, members, own, deleted: Table
    }

    private struct PendingMessage {
        /// Where the stream and its sender are in the batch's caches.
        var head, member: UInt32
        var ordinal: UInt64
        var row: UnreadMessageRow
        var isRoom: Bool
    }

    package init(tables: [Table]) {
        self.tables = Tables(
            heads: tables[0],
            messages: tables[1],
            members: tables[2],
            own: tables[3],
            deleted: tables[4]
        )
    }

    package mutating func apply(
        _ record: borrowing Record,
        in transaction: inout WriteTransaction,
        with hasher: borrowing SHA256
    ) throws {
        let header = record.header
        switch header.type {
        case .messageSent: try send(header, at: record.offset, in: transaction)
        case .messagesRead: try markRead(header, in: &transaction)
        case .messageDeleted: try delete(header, in: &transaction)
        case .memberAdded:
            let head = try headPlace(of: header.stream, in: transaction)
            let member = try memberPlace(of: header.subject, in: header.stream, transaction)
            var row = members[member] ?? UnreadMemberRow(isRoom: true, isActive: false, subject: header.stream)
            guard !row.isActive else { return }
            row.isActive = true
            // What was said before is nothing unread.
            row.mark = max(row.mark, heads[head].ordinal)
            row.ownAtMark = row.own
            members[member] = row
        case .memberRemoved:
            let member = try memberPlace(of: header.subject, in: header.stream, transaction)
            members[member]?.isActive = false
        case .userRegistered, .guestSeen, .userLoggedIn, .loginFailed, .messageEdited, .roomCreated, .ownerChanged,
            .payloadRedacted, .userErased, .viewAttested, .auditorRead:
            break
        }
    }

    private mutating func send(
        _ header: EventHeader,
        at offset: Offset,
        in transaction: borrowing WriteTransaction
    ) throws {
        let isRoom = header.concernsRoom
        let head = try headPlace(of: header.stream, in: transaction)
        heads[head].ordinal += 1
        heads[head].offset = offset
        let ordinal = heads[head].ordinal
        if ordinal == 1, !isRoom {
            let peer = try memberPlace(of: header.subject, in: header.stream, transaction)
            members[peer] = UnreadMemberRow(isRoom: false, isActive: true, subject: header.actor)
        }
        let member = try memberPlace(of: header.actor, in: header.stream, transaction)
        // A sender without a row: the first message of a conversation, or one to a room that its sender isn't in.
        var row = members[member] ?? UnreadMemberRow(isRoom: isRoom, isActive: !isRoom, subject: header.subject)
        row.own += 1
        row.lastOwn = ordinal
        members[member] = row
        messages.appendInLargePages(
            PendingMessage(
                head: UInt32(head),
                member: UInt32(member),
                ordinal: ordinal,
                row: UnreadMessageRow(offset: offset, own: row.own, sender: header.actor),
                isRoom: isRoom
            )
        )
    }

    private mutating func markRead(_ header: EventHeader, in transaction: inout WriteTransaction) throws {
        let place = try memberPlace(of: header.actor, in: header.stream, transaction)
        guard var member = members[place] else { return }
        let head = try headPlace(of: header.stream, in: transaction)
        if header.reference >= heads[head].offset {
            guard heads[head].ordinal > member.mark else { return }
            member.mark = heads[head].ordinal
            member.ownAtMark = member.own
            members[place] = member
            return
        }
        guard
            let (ordinal, row) = try lastMessage(
                ofHeadAt: head,
                atOrBefore: header.reference,
                in: &transaction
            ), ordinal > member.mark
        else { return }
        if member.lastOwn <= ordinal {
            member.ownAtMark = member.own
        } else if member.isRoom {
            try flushMessages(in: &transaction)
            member.ownAtMark = try ownCount(of: header.actor, member, upTo: ordinal, in: transaction)
        } else {
            member.ownAtMark = row.own(of: header.actor, at: ordinal)
        }
        member.mark = ordinal
        members[place] = member
    }

    private mutating func delete(_ header: EventHeader, in transaction: inout WriteTransaction) throws {
        let head = try headPlace(of: header.stream, in: transaction)
        guard
            let (ordinal, row) = try lastMessage(
                ofHeadAt: head,
                atOrBefore: header.reference,
                in: &transaction
            ), row.offset == header.reference
        else { return }
        let key = Key(header.stream, ordinal)
        guard try transaction.value(of: key.span, in: tables.deleted) == nil else { return }
        try transaction.put(Key(row.sender).span, for: key.span, in: tables.deleted)
        heads[head].deletions += 1
    }

    // MARK: Looking things up

    private mutating func headPlace(of stream: StreamID, in transaction: borrowing WriteTransaction) throws -> Int {
        try heads.place(of: stream) {
            guard let value = try transaction.value(of: Key(stream).span, in: tables.heads) else { return HeadRow() }
            return try HeadRow(value)
        }
    }

    private mutating func memberPlace(
        of account: AccountID,
        in stream: StreamID,
        _ transaction: borrowing WriteTransaction
    ) throws -> Int {
        try members.place(of: Pair(account, stream)) {
            guard let value = try transaction.value(of: Key(account, stream).span, in: tables.members) else {
                return nil
            }
            return try UnreadMemberRow(value)
        }
    }

    /// The last message at or before `offset`, with its ordinal.
    private mutating func lastMessage(
        ofHeadAt head: Int,
        atOrBefore offset: Offset,
        in transaction: inout WriteTransaction
    ) throws -> (UInt64, UnreadMessageRow)? {
        if let first = messages.first, offset >= first.row.offset {
            if let found = pendingMessage(ofHeadAt: head, at: offset) { return (found.ordinal, found.row) }
            // Not exactly a message: rare enough to write the batch's rows early and search the table.
            try flushMessages(in: &transaction)
        }
        let stream = heads.key(at: head)
        let next = try OrdinalSearch.firstOrdinal(
            of: stream,
            atOrAfter: offset == .max ? .max : offset + 1,
            count: heads[head].ordinal,
            in: transaction,
            tables.messages
        )
        guard next > 1 else { return nil }
        guard let value = try transaction.value(of: Key(stream, next - 1).span, in: tables.messages) else { return nil }
        return (next - 1, try UnreadMessageRow(value))
    }

    private func pendingMessage(ofHeadAt head: Int, at offset: Offset) -> PendingMessage? {
        var low = 0
        var high = messages.count
        while low < high {
            let middle = (low + high) / 2
            if messages[middle].row.offset < offset { low = middle + 1 } else { high = middle }
        }
        guard low < messages.count, messages[low].row.offset == offset, messages[low].head == head else {
            return nil
        }
        return messages[low]
    }

    /// How many of the first `ordinal` messages of a room are `account`'s: the greatest own ordinal at or before it.
    private func ownCount(
        of account: AccountID,
        _ member: UnreadMemberRow,
        upTo ordinal: UInt64,
        in transaction: borrowing WriteTransaction
    ) throws -> UInt64 {
        var low = member.ownAtMark
        var high = member.own
        while low < high {
            let middle = low + (high - low + 1) / 2
            let key = Key(member.subject, account, middle)
            guard let found = try transaction.number(of: key, in: tables.own) else {
                throw LMDBError.malformed("the table own lacks a row")
            }
            if found <= ordinal { low = middle } else { high = middle - 1 }
        }
        return low
    }

    // MARK: Batches

    package var heldBytes: Int {
        heads.heldBytes + members.heldBytes
            + messages.count * (MemoryLayout<PendingMessage>.stride + MemoryLayout<UInt32>.stride)
    }

    package mutating func flush(in transaction: inout WriteTransaction) throws {
        var scratch: [UInt8] = []
        try flushMessages(in: &transaction)
        try transaction.load(tables.heads) { loader in
            try heads.forEach { stream, head in
                guard head.ordinal > 0 else { return }
                scratch.removeAll(keepingCapacity: true)
                head.append(to: &scratch)
                try loader.put(scratch.span, for: Key(stream).span)
            }
        }
        try transaction.load(tables.members) { loader in
            try members.forEach { pair, member in
                guard let member else { return }
                scratch.removeAll(keepingCapacity: true)
                member.append(to: &scratch)
                try loader.put(scratch.span, for: pair.key.span)
            }
        }
        discard()
    }

    /// Writes the messages early or at the end; heads and members stay in memory.
    private mutating func flushMessages(in transaction: inout WriteTransaction) throws {
        guard !messages.isEmpty else { return }
        var scratch: [UInt8] = []
        try transaction.load(tables.messages) { loader in
            let order = heads.order(messages, by: { $0.head })
            var runs = RunFinder()
            for (place, index) in order.enumerated() {
                let message = messages[Int(index)]
                let key = Key(heads.key(at: Int(message.head)), message.ordinal)
                if runs.beginsRun(at: place, order, by: { messages[Int($0)].head }) {
                    try loader.beginRun(at: key.span)
                }
                scratch.removeAll(keepingCapacity: true)
                message.row.append(to: &scratch)
                try loader.put(scratch.span, for: key.span)
            }
        }
        messages.removeAll { !$0.isRoom }
        try transaction.load(tables.own) { loader in
            func roomThenAccount(_ one: Pair, _ other: Pair) -> Bool {
                (one.second, one.first) < (other.second, other.first)
            }
            for index in members.order(messages, by: { $0.member }, roomThenAccount) {
                let message = messages[Int(index)]
                let member = members.key(at: Int(message.member))
                try loader.put(message.ordinal, for: Key(member.second, member.first, message.row.own))
            }
        }
        messages.removeAll(keepingCapacity: true)
    }

    package mutating func discard() {
        heads.discard()
        members.discard()
        messages.removeAll(keepingCapacity: true)
    }

    package static func digest(
        _ digest: inout ViewDigest.Builder,
        table: Int,
        key: Span<UInt8>,
        value: Span<UInt8>
    ) {
        // Nothing here comes from a payload.
        digest.add(row: key, value)
    }
}
