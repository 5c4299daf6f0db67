package import Broker
package import Cryptography
package import LMDB

/// Rooms and who is in them, looked at from either side.
///
/// All but a room's name comes from headers. The name of a room whose creation is redacted is empty.
///
/// | table | key | value |
/// | --- | --- | --- |
/// | rooms | room | ``RoomRow`` |
/// | members | room ‖ account | offset of joining |
/// | seniority | room ‖ offset of joining, big-endian | account |
/// | by_account | account ‖ room | offset of joining |
/// | room_counts | account | how many rooms it is in |
/// | spans | account ‖ room ‖ offset of joining, big-endian | offset of leaving; 0 while still in |
package struct RoomsProjection: Projection {
    package static let name = "rooms"
    package static let version = 2
    package static let tables = ["rooms", "members", "seniority", "by_account", "room_counts", "spans"]
    /// Whether reading shows in a room goes by how many are in it when it is read.
    package static let promptTypes: EventTypes = [.roomCreated, .memberAdded, .memberRemoved]
    package static let eventTypes: EventTypes = [
        .roomCreated, .memberAdded, .memberRemoved, .ownerChanged, .payloadRedacted,
    ]
    package static let committedTypes: EventTypes = [.roomCreated]

    private let rooms: Table
    private let members: Table
    private let seniority: Table
    private let byAccount: Table
    private let roomCounts: Table
    private let spanTable: Table
    private var roomRows = BatchCache<RoomID, RoomRow?>()
    /// How many bytes of names the rooms came with.
    private var nameBytes = 0
    private var memberRows = BatchCache<Pair, Membership>()
    private var counts = BatchCache<AccountID, UInt64>()
    private var spans = BatchCache<SpanKey, Offset>()

    /// When somebody joined, as it was before the batch and as it is; 0 for not at all.
    private struct Membership {
        var before: Offset
        var now: Offset
    }

    private struct SpanKey: BatchKey {
        var member: Pair
        var joined: Offset

        func hash(_ seed: UInt64) -> UInt64 { member.hash(seed ^ joined) }

        static func < (left: SpanKey, right: SpanKey) -> Bool {
            left.member != right.member ? left.member < right.member : left.joined < right.joined
        }
    }

    package init(tables: [Table]) {
        rooms = tables[0]
        members = tables[1]
        seniority = tables[2]
        byAccount = tables[3]
        roomCounts = tables[4]
        spanTable = tables[5]
    }

    package mutating func apply(
        _ record: borrowing Record,
        in transaction: inout WriteTransaction,
        with hasher: borrowing SHA256
    ) throws {
        let header = record.header
        switch header.type {
        case .roomCreated:
            let place = try place(ofRoom: header.stream, in: transaction)
            guard roomRows[place] == nil else { return }
            var name: [UInt8] = []
            if case .roomCreated(let text) = try record.decodePayload() { name = Array(text.utf8) }
            roomRows[place] = RoomRow(
                createdOffset: record.offset,
                owner: header.actor,
                commitment: record.commitment(with: hasher),
                name: name
            )
            nameBytes += record.bytes.count
        case .memberAdded:
            try setMember(header.subject, of: header.stream, isIn: true, at: record.offset, in: transaction)
        case .memberRemoved:
            try setMember(header.subject, of: header.stream, isIn: false, at: record.offset, in: transaction)
        case .ownerChanged:
            let place = try place(ofRoom: header.stream, in: transaction)
            roomRows[place]?.owner = header.subject
        case .payloadRedacted:
            // Only in a room's own stream: any other would bring a row that isn't there into the cache for nothing.
            guard header.concernsRoom else { return }
            let place = try place(ofRoom: header.stream, in: transaction)
            if roomRows[place]?.createdOffset == header.reference { roomRows[place]?.name = [] }
        case .userRegistered, .guestSeen, .userLoggedIn, .loginFailed, .messageSent, .messagesRead, .messageEdited,
            .messageDeleted, .userErased, .viewAttested, .auditorRead:
            break
        }
    }

    /// Who is in already stays as senior as before, and who isn't can't leave.
    private mutating func setMember(
        _ account: AccountID,
        of room: RoomID,
        isIn: Bool,
        at offset: Offset,
        in transaction: borrowing WriteTransaction
    ) throws {
        let roomPlace = try place(ofRoom: room, in: transaction)
        guard roomRows[roomPlace] != nil else { return }
        let pair = Pair(room, account)
        let member = try memberRows.place(of: pair) {
            let offset = try transaction.number(of: pair.key, in: members) ?? 0
            return Membership(before: offset, now: offset)
        }
        guard (memberRows[member].now != 0) != isIn else { return }
        let count = try counts.place(of: account) {
            try transaction.number(of: Key(account), in: roomCounts) ?? 0
        }
        let joined = isIn ? offset : memberRows[member].now
        let span = spans.place(of: SpanKey(member: Pair(account, room), joined: joined)) { 0 }
        if isIn {
            memberRows[member].now = offset
            roomRows[roomPlace]?.memberCount += 1
            counts[count] += 1
        } else {
            memberRows[member].now = 0
            roomRows[roomPlace]?.memberCount -= 1
            counts[count] -= 1
            spans[span] = offset
        }
    }

    private mutating func place(ofRoom id: RoomID, in transaction: borrowing WriteTransaction) throws -> Int {
        var loadedBytes = 0
        defer { nameBytes += loadedBytes }
        return try roomRows.place(of: id) {
            guard let value = try transaction.value(of: Key(id).span, in: rooms) else { return nil }
            guard let row = RoomRow(value) else { throw LMDBError.malformed("a row of rooms") }
            loadedBytes = value.count
            return row
        }
    }

    package var heldBytes: Int {
        roomRows.heldBytes + nameBytes + memberRows.heldBytes
            + memberRows.count * MemoryLayout<(Pair, Membership)>.stride + counts.heldBytes + spans.heldBytes
    }

    package mutating func flush(in transaction: inout WriteTransaction) throws {
        try transaction.load(rooms) { loader in
            try roomRows.forEach { id, row in
                guard let row else { return }
                try loader.put(row.encode(for: id).span, for: Key(id).span)
            }
        }
        var changes: [(pair: Pair, change: Membership)] = []
        try transaction.load(members) { loader in
            try memberRows.forEach { pair, change in
                guard change.before != change.now else { return }
                changes.append((pair, change))
                if change.now == 0 {
                    try loader.remove(pair.key.span)
                } else {
                    try loader.put(change.now, for: pair.key)
                }
            }
        }
        for (pair, change) in changes {
            if change.before != 0 {
                try transaction.remove(Key(pair.first, change.before).span, from: seniority)
            }
            if change.now != 0 {
                try transaction.put(Key(pair.second).span, for: Key(pair.first, change.now).span, in: seniority)
            }
        }
        changes.sort { ($0.pair.second, $0.pair.first) < ($1.pair.second, $1.pair.first) }
        try transaction.load(byAccount) { loader in
            for (pair, change) in changes {
                let key = Key(pair.second, pair.first)
                if change.now == 0 {
                    try loader.remove(key.span)
                } else {
                    try loader.put(change.now, for: key)
                }
            }
        }
        try transaction.load(roomCounts) { loader in
            try counts.forEach { account, count in
                if count == 0 {
                    try loader.remove(Key(account).span)
                } else {
                    try loader.put(count, for: Key(account))
                }
            }
        }
        try transaction.load(spanTable) { loader in
            try spans.forEach { span, left in
                try loader.put(left, for: Key(span.member.first, span.member.second, span.joined))
            }
        }
        discard()
    }

    package mutating func discard() {
        roomRows.discard()
        memberRows.discard()
        counts.discard()
        spans.discard()
        nameBytes = 0
    }

    package static func digest(
        _ digest: inout ViewDigest.Builder,
        table: Int,
        key: Span<UInt8>,
        value: Span<UInt8>
    ) {
        guard table == 0 else {
            digest.add(row: key, value)
            return
        }
        guard key.count == Identifier.byteCount, value.count >= RoomRow.namePlace else {
            digest.add(malformed: key, value)
            return
        }
        digest.add(key)
        digest.add(value.extracting(first: RoomRow.sealPlace))
        digest.add(
            seal: value.littleEndian(at: RoomRow.sealPlace),
            computed: Seal.compute(key, value, at: RoomRow.sealPlace),
            key: key
        )
    }
}
