import Broker

/// The log, read event by event up to then, for accounts that must have been there, and for names.
struct AsOfReading: Sendable {
    /// The last event that was taken in.
    private(set) var end: Offset = 0
    /// Those of `accounts`, and of all others and of rooms if they are learned.
    private var names = AuditNames()
    private let learnsNames: Bool
    private let accounts: [(id: AccountID, text: String)]
    private var present: Set<AccountID> = []
    /// As often the bar moves on, and whoever cancels is heard.
    private static let stepEvents: Offset = 4096

    /// - Parameters:
    ///   - accounts: Who must have been there then, and what they were called by whoever asked for them.
    ///   - learnsNames: Whether others may turn up whose names are to be shown.
    init(accounts: [(id: AccountID, text: String)] = [], learnsNames: Bool) {
        self.accounts = accounts
        self.learnsNames = learnsNames
    }

    /// Hands the events up to `offset` to `body`.
    ///
    /// - Throws: ``CommandFailure`` with the status `usage` if an account hadn't been seen by then; `EventLog.Damaged`;
    ///   `CancellationError`; what `body` throws.
    mutating func advance(
        to offset: Offset,
        in log: EventLog,
        _ bar: ProgressBar,
        _ body: (borrowing Record) throws -> Void
    ) throws {
        try log.forEach(in: 1...offset) { record in
            end = record.offset
            if learnsNames { try names.learn(record) }
            switch record.header.type {
            case .userRegistered, .guestSeen:
                guard accounts.contains(where: { $0.id == record.header.actor }) else { break }
                present.insert(record.header.actor)
                try names.learn(record)
            default: try body(record)
            }
            if end % Self.stepEvents == 0 {
                try Task.checkCancellation()
                bar.update(label: "reading the log", done: end, total: offset)
            }
            return true
        }
        guard end == offset else { throw CommandFailure("the log ends at event \(end), before \(offset)") }
        if let absent = accounts.first(where: { !present.contains($0.id) }) {
            throw CommandFailure("there is no account \(absent.text.shownAsJSON) up to offset \(end)", status: .usage)
        }
    }

    /// An account, with its name unless that was erased.
    mutating func account(_ id: AccountID) -> AuditEvent.Party {
        AuditEvent.Party(id: id, name: names.account(id))
    }

    /// A room, with its name.
    mutating func room(_ id: RoomID) -> AuditEvent.Party { AuditEvent.Party(id: id, name: names.room(id)) }
}
