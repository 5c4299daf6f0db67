import Broker

/// What `quipu audit unread` has found.
struct UnreadReport: Sendable {
    /// A conversation or room.
    struct Row: Equatable, Sendable {
        /// The peer, or the room.
        var party: AuditEvent.Party
        var isRoom: Bool
        /// Read up to this offset; 0: not at all.
        var mark: Offset
        /// The offset at which the account came into the room; 0 for a conversation.
        var joined: Offset
        /// The offsets of the unread messages, ascending.
        var unread: [Offset]

        /// The order in which type 4 has them: peers by the bytes of their names, then rooms by id.
        func precedes(_ other: Row) -> Bool {
            if isRoom != other.isRoom { return other.isRoom }
            if isRoom { return party.id < other.party.id }
            return party.label.utf8.lexicographicallyPrecedes(other.party.label.utf8)
        }
    }

    /// What came of the comparison with the view.
    enum Comparison: Equatable, Sendable {
        /// Both were compared as of this offset, which is before that of the report if the view is behind.
        case compared(at: Offset, [UnreadDifference])
        /// There is nothing to compare with; the text says why.
        case absent(String)
        /// The view gives no answer; the text says why.
        case unreadable(String)
    }

    var account: String
    var id: AccountID
    var log: LogIdentity
    /// The last event that was reckoned with, and its time; nil if there is none.
    var asOf: Offset
    var milliseconds: UInt64?
    /// Whether this is about all conversations and rooms, and not one that was asked for.
    var isWhole: Bool
    /// What has something unread, or was asked for; conversations first.
    var rows: [Row]
    /// Nil for the past, which no view knows.
    var comparison: Comparison?

    /// How many direct messages are unread: what type 4 calls total_counts.
    var directCount: Int { rows.reduce(0) { $1.isRoom ? $0 : $0 + $1.unread.count } }
    /// How many messages of rooms are unread.
    var roomCount: Int { rows.reduce(0) { $1.isRoom ? $0 + $1.unread.count : $0 } }

    /// Whether the view says something else than the log, or nothing.
    var isFailure: Bool {
        switch comparison {
        case .compared(_, let differences): !differences.isEmpty
        case .unreadable: true
        case .absent, nil: false
        }
    }
}

extension UnreadReport.Row {
    init(_ stream: UnreadStream, party: AuditEvent.Party) {
        self.init(
            party: party,
            isRoom: stream.isRoom,
            mark: stream.mark,
            joined: stream.joined,
            unread: stream.unread
        )
    }
}
