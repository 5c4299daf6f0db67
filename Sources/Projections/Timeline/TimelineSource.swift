internal import Broker

/// One ascending row of offsets that a ``Timeline`` merges, at the offset that it has come to.
struct TimelineSource: Comparable, Sendable {
    enum Kind: Sendable {
        /// The messages of a stream.
        case messages
        /// The reads, edits and deletions of a stream.
        case changes
        /// The account joins a room: its messages and changes follow.
        case joining
        /// The account leaves a room.
        case leaving
    }

    var kind: Kind
    var stream: StreamID
    /// The next one.
    var offset: Offset
    /// The last offset that may be in it.
    var end: Offset
    /// Where it is among its like: for messages the ordinal of the one at ``offset``.
    var ordinal: UInt64

    init(messagesOf stream: StreamID, at offset: Offset, ordinal: UInt64, end: Offset) {
        self.init(kind: .messages, stream: stream, offset: offset, end: end, ordinal: ordinal)
    }

    init(changesOf stream: StreamID, at offset: Offset, end: Offset) {
        self.init(kind: .changes, stream: stream, offset: offset, end: end, ordinal: 0)
    }

    init(joining room: RoomID, at offset: Offset, end: Offset) {
        self.init(kind: .joining, stream: room, offset: offset, end: end, ordinal: 0)
    }

    init(leaving room: RoomID, at offset: Offset) {
        self.init(kind: .leaving, stream: room, offset: offset, end: offset, ordinal: 0)
    }

    private init(kind: Kind, stream: StreamID, offset: Offset, end: Offset, ordinal: UInt64) {
        self.kind = kind
        self.stream = stream
        self.offset = offset
        self.end = end
        self.ordinal = ordinal
    }

    /// An event is in one source only, so that the offset decides.
    static func < (left: TimelineSource, right: TimelineSource) -> Bool { left.offset < right.offset }
}
