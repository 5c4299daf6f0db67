import Broker

/// Reckons from the log who was in a room.
///
/// The headers of the log are read once, from the first event to then. Memory: the members, and the names of accounts
/// and rooms.
struct MembersAudit: Sendable {
    let log: EventLog

    /// - Parameters:
    ///   - text: The room's id or name.
    ///   - end: The last event that had happened.
    /// - Throws: ``CommandFailure`` with the status `usage` if there is no such room; `EventLog.Damaged`;
    ///   `CancellationError`.
    func answer(_ text: String, asOf end: Offset) throws -> MembersReport {
        let bar = ProgressBar(unit: "events")
        defer { bar.finish() }
        var candidates = RoomCandidates(text) {
            MembersReckoning(room: $0)
        } apply: {
            $0.apply($1, at: $2)
        }
        var reading = AsOfReading(learnsNames: true)
        try reading.advance(to: end, in: log, bar) { try candidates.look(at: $0) }
        let (room, reckoning) = try candidates.only(asOf: end)
        let members = reckoning.members
        var rows: [MembersReport.Row] = []
        rows.reserveCapacity(members.count)
        try log.read(at: members.map(\.joined)) { record in
            let member = members[rows.count]
            let row = MembersReport.Row(
                party: reading.account(member.account),
                joined: member.joined,
                milliseconds: record.header.milliseconds,
                isOwner: member.account == reckoning.owner
            )
            rows.append(row)
            return true
        }
        return MembersReport(
            room: reading.room(room),
            log: log.identity,
            asOf: end,
            milliseconds: try log.withRecord(at: end) { $0.header.milliseconds } ?? 0,
            owner: reckoning.owner.map { reading.account($0) },
            rows: rows
        )
    }
}

/// What `quipu audit as-of … members` has found.
struct MembersReport: Sendable {
    /// Somebody who was in the room.
    struct Row: Equatable, Sendable {
        var party: AuditEvent.Party
        /// The offset and the time of joining.
        var joined: Offset
        var milliseconds: UInt64
        var isOwner: Bool
    }

    var room: AuditEvent.Party
    var log: LogIdentity
    /// The last event that was reckoned with, and its time.
    var asOf: Offset
    var milliseconds: UInt64
    /// Whose room it was, whether it was in it or not.
    var owner: AuditEvent.Party?
    /// In the order of joining.
    var rows: [Row]

    /// The report as a line of JSON.
    var json: [UInt8] {
        var object = JSONObjectWriter()
        object.text("room", room.id.uuidText)
        object.text("room_name", room.name)
        object.text("log", log.description)
        object.number("as_of", asOf)
        object.text("time", Timestamp.text(milliseconds: milliseconds))
        object.text("owner", owner?.name)
        object.text("owner_id", owner?.id.description)
        object.objects("members", rows.map(\.json))
        return object.finished + [UInt8(ascii: "\n")]
    }

    /// Writes the report as a table for people, in which no name moves the cursor.
    func writeTable(to output: inout StandardOutput) throws {
        let columns = max("OFFSET".count, String(asOf).count)
        func line(_ offset: String, _ time: String, _ role: String, _ account: String) -> String {
            String(repeating: " ", count: max(0, columns - offset.count)) + offset + "  "
                + TerminalText.pad(time, to: Timestamp.byteCount) + TerminalText.pad(role, to: "OWNER".count) + account
        }
        if !rows.isEmpty { try output.line(line("OFFSET", "JOINED", "OWNER", "ACCOUNT")) }
        for row in rows {
            let time = Timestamp.text(milliseconds: row.milliseconds)
            let account = TerminalText.escape(row.party.label)
            try output.line(line(String(row.joined), time, row.isOwner ? "owner" : "", account))
        }
        try output.line(conclusion)
    }

    /// Which room it is, as of when, and how many are in it.
    private var conclusion: String {
        var text = TerminalText.escape(room.name ?? "redacted") + " (\(room.id.uuidText)), as of offset \(asOf), "
        text += Timestamp.text(milliseconds: milliseconds) + ": "
        text += rows.isEmpty ? "no members" : "\(rows.count.grouped) member\(rows.count == 1 ? "" : "s")"
        guard let owner, !rows.contains(where: \.isOwner) else { return text }
        return text + "; \(TerminalText.escape(owner.label)), whose it was last, had left"
    }
}

extension MembersReport.Row {
    fileprivate var json: JSONObjectWriter {
        var object = JSONObjectWriter()
        object.text("account", party.name)
        object.text("account_id", party.id.description)
        object.number("joined", joined)
        object.text("joined_at", Timestamp.text(milliseconds: milliseconds))
        object.flag("owner", isOwner)
        return object
    }
}
