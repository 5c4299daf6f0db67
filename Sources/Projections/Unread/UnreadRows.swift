internal import Broker
internal import LMDB

/// A row of the table `heads`: head ordinal, deletions, offset of the head; 8 bytes each, little-endian.
struct HeadRow {
    var ordinal: UInt64 = 0
    var deletions: UInt64 = 0
    var offset: Offset = 0

    static let byteCount = 24

    init() {}

    /// The row of a stream that may have none: then it has no messages.
    init(ifAny bytes: Span<UInt8>?) throws {
        self.init()
        if let bytes { self = try HeadRow(bytes) }
    }

    init(_ bytes: Span<UInt8>) throws {
        guard bytes.count == Self.byteCount else { throw LMDBError.malformed("a row of heads") }
        ordinal = bytes.littleEndian(at: 0)
        deletions = bytes.littleEndian(at: 8)
        offset = bytes.littleEndian(at: 16)
    }

    func append(to bytes: inout [UInt8]) {
        bytes.append(littleEndian: ordinal)
        bytes.append(littleEndian: deletions)
        bytes.append(littleEndian: offset)
    }
}

/// A row of the table `messages`: offset, the sender's own ordinal, sender.
struct UnreadMessageRow {
    var offset: Offset
    /// How many messages the sender has sent in this stream, with this one.
    var own: UInt64
    var sender: AccountID

    static let byteCount = 32

    init(offset: Offset, own: UInt64, sender: AccountID) {
        self.offset = offset
        self.own = own
        self.sender = sender
    }

    init(_ bytes: Span<UInt8>) throws {
        guard bytes.count == Self.byteCount else { throw LMDBError.malformed("a row of messages") }
        offset = bytes.littleEndian(at: 0)
        own = bytes.littleEndian(at: 8)
        sender = Identifier(bytes, at: 16)
    }

    func append(to bytes: inout [UInt8]) {
        bytes.append(littleEndian: [offset, own, sender.high.byteSwapped, sender.low.byteSwapped])
    }

    /// How many of the first `ordinal` messages of a direct conversation are `reader`'s, if this is the last of them.
    ///
    /// There are two people: what one hasn't sent, the other has.
    func own(of reader: AccountID, at ordinal: UInt64) -> UInt64 { sender == reader ? own : ordinal - own }
}

/// A row of the table `members`: one reader's side of a stream.
struct UnreadMemberRow {
    var isRoom: Bool
    /// Whether it counts: false for a room that was left.
    var isActive: Bool
    /// The peer, or the room.
    var subject: Identifier
    /// How many messages the reader has sent here: own(head).
    var own: UInt64 = 0
    /// The ordinal of the last of them.
    var lastOwn: UInt64 = 0
    /// The ordinal read up to; only grows.
    var mark: UInt64 = 0
    /// How many of the messages up to the mark are the reader's: own(mark).
    var ownAtMark: UInt64 = 0

    static let byteCount = 50

    init(isRoom: Bool, isActive: Bool, subject: Identifier) {
        self.isRoom = isRoom
        self.isActive = isActive
        self.subject = subject
    }

    init(_ bytes: Span<UInt8>) throws {
        guard bytes.count == Self.byteCount else { throw LMDBError.malformed("a row of members") }
        isRoom = bytes[0] != 0
        isActive = bytes[1] != 0
        subject = Identifier(bytes, at: 2)
        own = bytes.littleEndian(at: 18)
        lastOwn = bytes.littleEndian(at: 26)
        mark = bytes.littleEndian(at: 34)
        ownAtMark = bytes.littleEndian(at: 42)
    }

    func append(to bytes: inout [UInt8]) {
        bytes.append(isRoom ? 1 : 0)
        bytes.append(isActive ? 1 : 0)
        subject.append(to: &bytes)
        bytes.append(littleEndian: own)
        bytes.append(littleEndian: lastOwn)
        bytes.append(littleEndian: mark)
        bytes.append(littleEndian: ownAtMark)
    }
}
