import Broker
import Projections

/// Reckons from the log what an account hasn't read, and compares it with what the view says.
///
/// The log is read once, from its first event. Memory: what is unread, and the names of accounts and rooms.
struct UnreadAudit: Sendable {
    let folder: DataFolder
    let log: EventLog
    /// How long a view that is behind is waited for, if there is a server that may take it on.
    var viewPatience = Duration.seconds(5)

    /// What somebody wants to know.
    struct Question: Sendable {
        var account: String
        /// Only the conversation with this account.
        var peer: String?
        /// Only this room.
        var room: String?
        /// Nil: as of now, and compared with the view.
        var asOf: OffsetOrTime?
    }

    /// - Throws: ``CommandFailure`` with the status `usage` for what isn't there; `EventLog.Damaged`;
    ///   `CancellationError`.
    func answer(_ question: Question) async throws -> UnreadReport {
        let bar = ProgressBar(unit: "events")
        defer { bar.finish() }
        let account = try AuditQuery.account(nameOrID: question.account, in: log)
        let peer = try question.peer.map { try AuditQuery.account(nameOrID: $0, in: log) }
        var fold = UnreadFold(account: account, peer: peer, room: question.room)
        var end = try question.asOf?.last(in: log) ?? log.head
        var comparison: UnreadReport.Comparison?
        if question.asOf == nil {
            switch try await UnreadViewReading.read(account, in: folder, of: log, patience: viewPatience, bar) {
            case .absent(let reason): comparison = .absent(reason)
            case .unreadable(let reason): comparison = .unreadable(reason)
            case .counts(let counts):
                // It may be behind, or have come further meanwhile: both are compared at its own offset.
                try fold.advance(to: counts.asOf, in: log, bar)
                let differences = UnreadDifference.all(between: fold.streams, and: counts)
                comparison = .compared(at: counts.asOf, differences)
                end = max(end, counts.asOf)
            }
        }
        try fold.advance(to: end, in: log, bar)
        return try report(question, account, peer, &fold, comparison)
    }

    private func report(
        _ question: Question,
        _ account: AccountID,
        _ peer: AccountID?,
        _ fold: inout UnreadFold,
        _ comparison: UnreadReport.Comparison?
    ) throws -> UnreadReport {
        let place = question.asOf == nil ? "in this log" : "up to offset \(fold.end)"
        for (name, id) in [(question.account, account), (question.peer ?? "", peer ?? account)]
        where !fold.present.contains(id) {
            throw CommandFailure("there is no account \(name.shownAsJSON) \(place)", status: .usage)
        }
        var only: Identifier? = peer
        if let text = question.room { only = try room(text, question.account, fold, place) }
        var rows = fold.streams.filter { only == nil ? !$0.unread.isEmpty : $0.subject == only }
            .map { UnreadReport.Row($0, party: fold.party($0.subject, isRoom: $0.isRoom)) }
        rows.sort { $0.precedes($1) }
        if let peer, rows.isEmpty {
            // They have never written to each other.
            let party = fold.party(peer, isRoom: false)
            rows = [UnreadReport.Row(party: party, isRoom: false, mark: 0, joined: 0, unread: [])]
        }
        var report = UnreadReport(
            account: question.account,
            id: account,
            log: log.identity,
            asOf: fold.end,
            milliseconds: try log.withRecord(at: fold.end) { $0.header.milliseconds },
            isWhole: only == nil,
            rows: rows,
            comparison: comparison
        )
        if case .compared(let offset, var differences) = comparison {
            differences = differences.filter { only == nil || $0.party.id == only }
            for index in differences.indices {
                let difference = differences[index]
                differences[index].party = fold.party(difference.party.id, isRoom: difference.isRoom)
            }
            report.comparison = .compared(at: offset, differences)
        }
        return report
    }

    /// The room of that id or name that the account is in.
    private func room(_ text: String, _ account: String, _ fold: UnreadFold, _ place: String) throws -> RoomID {
        guard let search = fold.search, !search.found.isEmpty else {
            throw CommandFailure("there is no room \(text.shownAsJSON) \(place)", status: .usage)
        }
        let mine = Set(fold.streams.map(\.subject))
        let joined = search.found.filter { mine.contains($0) }
        guard !joined.isEmpty else {
            let when = place == "in this log" ? "" : ", as of offset \(fold.end)"
            throw CommandFailure("\(account.shownAsJSON) is not in the room \(text.shownAsJSON)\(when)", status: .usage)
        }
        return try search.only(of: joined)
    }
}
