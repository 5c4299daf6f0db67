package import Broker
package import Cryptography
package import LMDB

/// Conversations and rooms, message by message, and the state of every stream.
///
/// | table | key | value |
/// | --- | --- | --- |
/// | streams | stream | ``StreamRow`` |
/// | messages | stream ‖ ordinal, big-endian | ``MessageRow`` |
/// | marks | stream ‖ reader | the offset read up to |
/// | client_ids | sender ‖ hash of the message id | offset of the first message with it |
/// | by_account | account ‖ peer | stream of the direct conversation |
/// | changes | stream ‖ offset, big-endian | type: a read, edit, deletion or redaction; then an edit's message |
///
/// A redaction takes the content out of the message's row, and the hash of its id out of all. What it leaves is what a
/// replay of the log makes of the record that is left.
package struct ConversationsProjection: Projection {
    package static let name = "conversations"
    package static let version = 3
    package static let tables = ["streams", "messages", "marks", "client_ids", "by_account", "changes"]
    /// All, since every event has a revision in its stream.
    package static let eventTypes = EventTypes.all
    package static let committedTypes: EventTypes = [.messageSent, .messageEdited]

    private let streamTable: Table
    let messageTable: Table
    private let markTable: Table
    private let idTable: Table
    private let accountTable: Table
    let changeTable: Table

    private(set) var streams = BatchCache<StreamID, StreamRow>()
    private var marks = BatchCache<Pair, Offset>()
    /// Message ids that the batch has seen, with the first message of each.
    var ids = BatchCache<Pair, Offset>()
    var messages = PendingMessages()
    private(set) var changes: [Change] = []

    /// A row of the table `changes`.
    struct Change {
        /// Where the stream is in the batch's cache.
        var stream: UInt32
        var offset: Offset
        var type: EventType
        /// The message that an edit is of.
        var message: Offset

        init(_ header: EventHeader, _ stream: Int, at offset: Offset) {
            self.stream = UInt32(stream)
            self.offset = offset
            type = header.type
            message = header.reference
        }
    }

    package init(tables: [Table]) {
        streamTable = tables[0]
        messageTable = tables[1]
        markTable = tables[2]
        idTable = tables[3]
        accountTable = tables[4]
        changeTable = tables[5]
    }

    package mutating func apply(
        _ record: borrowing Record,
        in transaction: inout WriteTransaction,
        with hasher: borrowing SHA256
    ) throws {
        let header = record.header
        let stream = try streams.place(of: header.stream) {
            guard let value = try transaction.value(of: Key(header.stream).span, in: streamTable) else {
                return StreamRow()
            }
            return try StreamRow(value)
        }
        streams[stream].state.apply(header, at: record.offset)
        switch header.type {
        case .messageSent:
            try send(record, stream, in: &transaction, with: hasher)
        case .messagesRead:
            let mark = try marks.place(of: Pair(header.stream, header.actor)) {
                try transaction.number(of: Key(header.stream, header.actor), in: markTable) ?? 0
            }
            marks[mark] = max(marks[mark], header.reference)
            note(record, stream)
        case .messageEdited, .messageDeleted:
            try change(record, stream, in: &transaction, with: hasher)
            note(record, stream)
        case .payloadRedacted:
            if try redact(header, stream, in: &transaction) { note(record, stream) }
        case .userRegistered, .guestSeen, .userLoggedIn, .loginFailed, .roomCreated, .memberAdded, .memberRemoved,
            .ownerChanged, .userErased, .viewAttested, .auditorRead:
            break
        }
    }

    /// Keeps where an event is that whoever follows the stream is told of.
    private mutating func note(_ record: borrowing Record, _ stream: Int) {
        streams[stream].lastChange = record.offset
        changes.append(Change(record.header, stream, at: record.offset))
    }

    // MARK: Messages

    private mutating func send(
        _ record: borrowing Record,
        _ stream: Int,
        in transaction: inout WriteTransaction,
        with hasher: borrowing SHA256
    ) throws {
        let header = record.header
        streams[stream].messageCount += 1
        let ordinal = streams[stream].messageCount
        if ordinal == 1, !header.concernsRoom {
            try transaction.put(
                Key(header.stream).span,
                for: Key(header.actor, header.subject).span,
                in: accountTable
            )
            try transaction.put(
                Key(header.stream).span,
                for: Key(header.subject, header.actor).span,
                in: accountTable
            )
        }
        let payload = record.payload
        var head = MessageRow.Head(
            offset: record.offset,
            milliseconds: header.milliseconds,
            updatedMilliseconds: header.milliseconds,
            sender: header.actor,
            flags: record.isRedacted ? .redacted : []
        )
        let id = MessagePayload.id(of: payload)
        if !id.isEmpty {
            let hash = Identifier(hashingMessageID: id, with: hasher)
            let offset = record.offset
            let place = try idPlace(of: Pair(header.actor, hash), in: transaction)
            if ids[place] == Self.erasedID { ids[place] = offset }
            if ids[place] == offset { head.idHash = hash }
        }
        let key = Key(header.stream, ordinal)
        let commitment = record.commitment(with: hasher).bytes
        messages.append(stream, ordinal, offset: record.offset) { bytes in
            head.append(
                to: &bytes,
                key: key.span,
                commitment: commitment.span,
                content: MessagePayload.content(of: payload)
            )
        }
    }

    /// Where the first message with an id is; ``erasedID`` if there is none.
    mutating func idPlace(of pair: Pair, in transaction: borrowing WriteTransaction) throws -> Int {
        try ids.place(of: pair) { try transaction.number(of: pair.key, in: idTable) ?? Self.erasedID }
    }

    /// In the place of an offset: no message has the id, or not any more.
    static let erasedID: Offset = 0

    // MARK: Batches

    package var heldBytes: Int {
        streams.heldBytes + marks.heldBytes + ids.heldBytes + messages.heldBytes
            + changes.count * (MemoryLayout<Change>.stride + MemoryLayout<UInt32>.stride)
    }

    package mutating func flush(in transaction: inout WriteTransaction) throws {
        var scratch: [UInt8] = []
        try transaction.load(streamTable) { loader in
            try streams.forEach { stream, row in
                scratch.removeAll(keepingCapacity: true)
                row.append(to: &scratch)
                try loader.put(scratch.span, for: Key(stream).span)
            }
        }
        try transaction.load(messageTable) { loader in
            try messages.forEach(in: streams) { key, row, beginsRun in
                if beginsRun { try loader.beginRun(at: key.span) }
                try loader.put(row, for: key.span)
            }
        }
        try transaction.load(markTable) { loader in
            try marks.forEach { pair, offset in try loader.put(offset, for: pair.key) }
        }
        try transaction.load(idTable) { loader in
            try ids.forEach { pair, offset in
                if offset == Self.erasedID {
                    try loader.remove(pair.key.span)
                } else {
                    try loader.put(offset, for: pair.key)
                }
            }
        }
        try transaction.load(changeTable) { loader in
            for index in streams.order(changes, by: { $0.stream }) {
                let change = changes[Int(index)]
                scratch.removeAll(keepingCapacity: true)
                scratch.append(change.type.rawValue)
                if change.type == .messageEdited { scratch.append(littleEndian: change.message) }
                try loader.put(scratch.span, for: Key(streams.key(at: Int(change.stream)), change.offset).span)
            }
        }
        discard()
    }

    package mutating func discard() {
        streams.discard()
        messages.discard()
        marks.discard()
        ids.discard()
        changes.removeAll(keepingCapacity: true)
    }

    package static func digest(
        _ digest: inout ViewDigest.Builder,
        table: Int,
        key: Span<UInt8>,
        value: Span<UInt8>
    ) {
        switch table {
        case 1:
            guard key.count == 24, MessageRow.isWellFormed(value), let row = try? MessageRow(value) else {
                digest.add(malformed: key, value)
                return
            }
            digest.add(key)
            digest.add(value.extracting(first: MessageRow.flagsPlace))
            digest.add(row.flags.intersection(.digested).rawValue)
            digest.add(row.commitment)
            digest.add(row.editOffset)
            digest.add(
                seal: value.littleEndian(at: MessageRow.sealPlace),
                computed: Seal.compute(key, value, at: MessageRow.sealPlace),
                key: key
            )
            if let hash = row.idHash {
                digest.expect(Key(row.sender, hash).span, value.extracting(first: 8))
            }
        case 3: digest.meet(key, value)
        default: digest.add(row: key, value)
        }
    }
}
