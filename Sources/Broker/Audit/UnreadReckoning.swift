/// What an account hasn't read, reckoned from the log alone, message by message.
///
/// The view of unread counts subtracts numbers; this keeps the messages themselves, and so says which they are. Both
/// must come to the same number. It is given every event from the first on, in order; to learn what was unread as of an
/// offset, one stops there.
///
/// ```swift
/// var reckoning = UnreadReckoning(account: alice)
/// try log.read(after: 0) { record in
///     reckoning.apply(record.header, at: record.offset)
///     return record.offset < asOf
/// }
/// for stream in reckoning.streams { print(stream.subject, stream.unread) }
/// ```
///
/// Its memory is bounded by what is unread, and an entry for each conversation and room of the account.
package struct UnreadReckoning: Sendable {
    private let account: AccountID
    /// The conversations of the account, and the rooms that it is in.
    private var entries: [StreamID: Entry] = [:]

    private struct Entry {
        var subject: Identifier
        var isRoom: Bool
        var joined: Offset
        var mark: Offset = 0
        var unread = UnreadOffsets()

        mutating func markRead(upTo offset: Offset) {
            // A mark only grows: one that comes twice or late changes nothing.
            guard offset > mark else { return }
            mark = offset
            unread.removeAll(upTo: offset)
        }
    }

    package init(account: AccountID) { self.account = account }

    /// Takes in the event at `offset`.
    package mutating func apply(_ header: EventHeader, at offset: Offset) {
        switch header.type {
        case .messageSent: send(header, at: offset)
        case .messagesRead:
            guard header.actor == account else { return }
            // What comes later isn't read, whatever a mark says.
            entries[header.stream]?.markRead(upTo: min(header.reference, offset))
        case .messageDeleted: entries[header.stream]?.unread.remove(header.reference)
        case .memberAdded:
            // Whoever is in it already doesn't join anew.
            guard header.subject == account, entries[header.stream] == nil else { return }
            entries[header.stream] = Entry(subject: header.stream, isRoom: true, joined: offset)
        case .memberRemoved:
            if header.subject == account { entries[header.stream] = nil }
        case .userRegistered, .guestSeen, .userLoggedIn, .loginFailed, .messageEdited, .roomCreated, .ownerChanged,
            .payloadRedacted, .userErased, .viewAttested, .auditorRead:
            // An erased message stays a message.
            break
        }
    }

    private mutating func send(_ header: EventHeader, at offset: Offset) {
        let isMine = header.actor == account
        if !header.concernsRoom, isMine || header.subject == account, entries[header.stream] == nil {
            let peer = isMine ? header.subject : header.actor
            entries[header.stream] = Entry(subject: peer, isRoom: false, joined: 0)
        }
        guard !isMine else { return }
        entries[header.stream]?.unread.append(offset)
    }

    /// The conversations and rooms of the account, with what is unread and without; rooms that it has left are not
    /// among them.
    ///
    /// In the order of peers and rooms.
    package var streams: [UnreadStream] {
        entries.map { stream, entry in
            UnreadStream(
                stream: stream,
                subject: entry.subject,
                isRoom: entry.isRoom,
                mark: entry.mark,
                joined: entry.joined,
                unread: entry.unread.all
            )
        }.sorted { $0.subject < $1.subject }
    }
}

/// What an account hasn't read of a conversation or room.
package struct UnreadStream: Equatable, Sendable {
    package var stream: StreamID
    /// The peer, or the room.
    package var subject: Identifier
    package var isRoom: Bool
    /// The offset up to which the account has marked it as read, since it joined if it is a room; 0: not at all.
    package var mark: Offset
    /// The offset at which the account joined the room, for the last time; 0 for a direct conversation.
    package var joined: Offset
    /// The offsets of the messages, ascending.
    package var unread: [Offset]

    package init(
        stream: StreamID,
        subject: Identifier,
        isRoom: Bool,
        mark: Offset = 0,
        joined: Offset = 0,
        unread: [Offset] = []
    ) {
        self.stream = stream
        self.subject = subject
        self.isRoom = isRoom
        self.mark = mark
        self.joined = joined
        self.unread = unread
    }
}
