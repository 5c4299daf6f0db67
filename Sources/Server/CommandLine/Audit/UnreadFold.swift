import Broker

/// The log, read event by event for what one account hasn't read, and for the names that go with it.
struct UnreadFold: Sendable {
    /// The last event that was taken in.
    private(set) var end: Offset = 0
    /// Those of the account and its peer that exist.
    private(set) var present: Set<AccountID> = []
    /// The room that is asked for.
    private(set) var search: RoomSearch?
    private var reckoning: UnreadReckoning
    private var names = AuditNames()
    private let wanted: Set<AccountID>
    /// As often the bar moves on, and whoever cancels is heard.
    private static let stepEvents: Offset = 4096

    init(account: AccountID, peer: AccountID?, room: String?) {
        reckoning = UnreadReckoning(account: account)
        wanted = [account, peer ?? account]
        search = room.map { RoomSearch($0) }
    }

    /// The conversations and rooms of the account, with what is unread and without.
    var streams: [UnreadStream] { reckoning.streams }

    /// Takes in the events up to `offset`, if they aren't yet.
    mutating func advance(to offset: Offset, in log: EventLog, _ bar: ProgressBar) throws {
        guard end < offset else { return }
        try log.forEach(in: end + 1...offset) { record in
            end = record.offset
            reckoning.apply(record.header, at: end)
            try names.learn(record)
            try search?.look(at: record)
            if [.userRegistered, .guestSeen].contains(record.header.type), wanted.contains(record.header.actor) {
                present.insert(record.header.actor)
            }
            if end % Self.stepEvents == 0 {
                try Task.checkCancellation()
                bar.update(label: "reading the log", done: end, total: max(log.head, offset))
            }
            return true
        }
        guard end == offset else { throw CommandFailure("the log ends at event \(end), before \(offset)") }
    }

    /// A peer or a room, with its name.
    mutating func party(_ id: Identifier, isRoom: Bool) -> AuditEvent.Party {
        AuditEvent.Party(id: id, name: isRoom ? names.room(id) : names.account(id))
    }
}
