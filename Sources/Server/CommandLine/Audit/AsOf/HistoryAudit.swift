import Broker

/// Reckons from the log what an account would have been shown of a conversation or room.
///
/// The headers of the log are read once, from the first event to then. Memory: two offsets a message, of all rooms that
/// have the name if one is named, and for a room the names of accounts and rooms; no text.
struct HistoryAudit: Sendable {
    let log: EventLog

    /// What somebody wants to know.
    struct Question: Sendable {
        var account: String
        /// Either a peer or a room.
        var peer: String?
        var room: String?
        /// At most so many messages, the newest.
        var limit: Int?
        /// The last event that had happened.
        var end: Offset
    }

    /// - Throws: ``CommandFailure`` with the status `usage` for what wasn't there; `EventLog.Damaged`;
    ///   `CancellationError`.
    func answer(_ question: Question) throws -> HistoryReport {
        let bar = ProgressBar(unit: "events")
        defer { bar.finish() }
        let reader = try AuditQuery.account(nameOrID: question.account, in: log)
        if let room = question.room { return try report(question, reader, room: room, bar) }
        let text = question.peer ?? question.account
        let peer = try AuditQuery.account(nameOrID: text, in: log)
        var reckoning = HistoryReckoning(reader: reader, peer: peer)
        var reading = AsOfReading(accounts: [(reader, question.account), (peer, text)], learnsNames: false)
        try reading.advance(to: question.end, in: log, bar) { reckoning.apply($0.header, at: $0.offset) }
        return try report(question, reader, reading.account(peer), isRoom: false, reckoning, reading)
    }

    private func report(
        _ question: Question,
        _ reader: AccountID,
        room text: String,
        _ bar: ProgressBar
    ) throws -> HistoryReport {
        var candidates = RoomCandidates(text) {
            HistoryReckoning(reader: reader, room: $0)
        } apply: {
            $0.apply($1, at: $2)
        }
        var reading = AsOfReading(accounts: [(reader, question.account)], learnsNames: true)
        try reading.advance(to: question.end, in: log, bar) { try candidates.look(at: $0) }
        let (room, reckoning) = try candidates.only(
            asOf: reading.end,
            where: { $0.joined != nil },
            otherwise: "\(question.account.shownAsJSON) was not in the room \(text.shownAsJSON)"
                + " as of offset \(reading.end): it would have been shown nothing"
        )
        return try report(question, reader, reading.room(room), isRoom: true, reckoning, reading)
    }

    private func report(
        _ question: Question,
        _ reader: AccountID,
        _ other: AuditEvent.Party,
        isRoom: Bool,
        _ reckoning: HistoryReckoning,
        _ reading: AsOfReading
    ) throws -> HistoryReport {
        var reading = reading
        let messages = reckoning.messages
        return HistoryReport(
            log: log.identity,
            asOf: reading.end,
            milliseconds: try log.withRecord(at: reading.end) { $0.header.milliseconds } ?? 0,
            reader: reading.account(reader),
            other: other,
            isRoom: isRoom,
            limit: question.limit,
            reckoning: reckoning,
            messages: messages.suffix(question.limit ?? messages.count),
            messageCount: messages.count,
            reading: reading
        )
    }
}

/// What `quipu audit as-of … history` has found: where the messages are, and who wrote them.
struct HistoryReport: Sendable {
    var log: LogIdentity
    /// The last event that was reckoned with, and its time.
    var asOf: Offset
    var milliseconds: UInt64
    /// Who would have been shown it.
    var reader: AuditEvent.Party
    /// The peer, or the room.
    var other: AuditEvent.Party
    var isRoom: Bool
    var limit: Int?
    var reckoning: HistoryReckoning
    /// What is shown, oldest first.
    var messages: ArraySlice<HistoryReckoning.Message>
    /// How many there were, those among them that aren't shown.
    var messageCount: Int
    /// Knows the names of who wrote.
    var reading: AsOfReading

    /// Whether there was more than is shown.
    var hasMore: Bool { messages.count < messageCount }
}
