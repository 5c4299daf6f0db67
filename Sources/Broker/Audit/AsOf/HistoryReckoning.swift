/// What an account was shown of a conversation or room, reckoned from the log alone.
///
/// The view of conversations keeps messages as they are now; this, given every event from the first on, in order, and
/// stopped at an offset, knows them as they were then: which there were, where their text stood, what was read. It
/// looks at headers alone: the texts are in the events that it names.
///
/// ```swift
/// var reckoning = HistoryReckoning(reader: alice, peer: bob)
/// try log.read(after: 0) { record in
///     reckoning.apply(record.header, at: record.offset)
///     return record.offset < asOf
/// }
/// for message in reckoning.messages.reversed() { print(message.offset, message.textOffset) }
/// ```
///
/// Its memory is bounded by the messages of the conversation: 16 bytes each, in an array that grows by doubling.
package struct HistoryReckoning: Sendable {
    /// A message that is there.
    package struct Message: Equatable, Sendable {
        /// The event that sent it.
        package var offset: Offset
        /// The event that has its text: the same, or the last edit.
        package var textOffset: Offset

        package init(offset: Offset, textOffset: Offset) {
            self.offset = offset
            self.textOffset = textOffset
        }
    }

    private let stream: StreamID
    private let reader: AccountID
    /// Nil in a room.
    private let peer: AccountID?

    /// Ascending; one without a text was deleted.
    private var rows: [Message] = []
    private var deletedCount = 0
    private var readerMark: Offset = 0
    private var peerMark: Offset = 0
    private var isMade = false
    /// The offset at which the reader came into the room, for the last time; nil while it isn't in it, and in a direct
    /// conversation.
    package private(set) var joined: Offset?

    private static let deleted: Offset = 0

    /// The direct conversation of two accounts, as `reader` sees it.
    package init(reader: AccountID, peer: AccountID) {
        self.reader = reader
        self.peer = peer
        stream = .conversation(reader, peer)
    }

    /// A room, as `reader` sees it.
    package init(reader: AccountID, room: RoomID) {
        self.reader = reader
        peer = nil
        stream = room
    }

    /// Takes in the event at `offset`.
    package mutating func apply(_ header: EventHeader, at offset: Offset) {
        guard header.stream == stream else { return }
        switch header.type {
        case .messageSent: rows.append(Message(offset: offset, textOffset: offset))
        case .messageEdited: edit(header.reference, at: offset)
        case .messageDeleted: delete(header.reference)
        case .messagesRead:
            // A mark only grows: one that comes twice or late changes nothing.
            if header.actor == reader { readerMark = max(readerMark, header.reference) }
            if header.actor == peer { peerMark = max(peerMark, header.reference) }
        case .roomCreated: isMade = true
        case .memberAdded:
            // Whoever is in it already doesn't join anew.
            if isMade, header.subject == reader, joined == nil { joined = offset }
        case .memberRemoved:
            if header.subject == reader { joined = nil }
        default: break
        }
    }

    /// What isn't there or is deleted already stays as it is.
    private mutating func edit(_ target: Offset, at offset: Offset) {
        guard let place = place(of: target) else { return }
        rows[place].textOffset = offset
    }

    private mutating func delete(_ target: Offset) {
        guard let place = place(of: target) else { return }
        rows[place].textOffset = Self.deleted
        deletedCount += 1
        guard deletedCount > rows.count / 2 else { return }
        rows = messages
        deletedCount = 0
    }

    /// Where the message sent at `offset` is, if it is there; found by halving.
    private func place(of offset: Offset) -> Int? {
        var low = 0
        var high = rows.count
        while low < high {
            let middle = low + (high - low) / 2
            if rows[middle].offset < offset { low = middle + 1 } else { high = middle }
        }
        guard low < rows.count, rows[low].offset == offset, rows[low].textOffset != Self.deleted else { return nil }
        return low
    }

    /// The messages that are there, oldest first.
    package var messages: [Message] { deletedCount == 0 ? rows : rows.filter { $0.textOffset != Self.deleted } }

    /// Whether the history shows a message as read: one of the reader's own when the peer has read it, another's when
    /// the reader has.
    ///
    /// In a room one's own messages always are, and so is what was said before one came.
    package func isRead(_ message: Offset, from sender: AccountID) -> Bool {
        guard sender == reader else { return message <= max(readerMark, joined ?? 0) }
        guard let peer, peer != reader else { return true }
        return message <= peerMark
    }
}
