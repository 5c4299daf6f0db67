import ArgumentParser
import Broker

/// Which events somebody wants to see; all conditions hold at once.
struct AuditQuery: Sendable {
    /// Empty: all.
    var types: Set<EventType> = []
    /// Exclusive.
    var after: Offset = 0
    /// Milliseconds since 1970, inclusive.
    var since: UInt64?
    /// Milliseconds since 1970, exclusive.
    var until: UInt64?
    var limit: Int?
    /// Who did it or to whom it was done.
    var user: AccountID?
    /// The conversation or room.
    var stream: StreamID?

    /// Whether an event of the right offset and time is wanted.
    func matches(_ header: EventHeader) -> Bool {
        if !types.isEmpty, !types.contains(header.type) { return false }
        if let stream, header.stream != stream { return false }
        if let user, header.actor != user, header.subject != user { return false }
        return true
    }

    /// The offsets among which the wanted events are.
    func range(in log: EventLog) throws -> ClosedRange<Offset>? {
        var first = after + 1
        var last = log.head
        if let since, since > 0 { first = max(first, try log.offset(atOrBefore: since - 1) + 1) }
        if let until { last = min(last, until == 0 ? 0 : try log.offset(atOrBefore: until - 1)) }
        return first <= last ? first...last : nil
    }

    /// Finds the accounts and the room that were named.
    ///
    /// - Throws: ``CommandFailure`` with the status `usage` for one that the log doesn't know.
    mutating func resolve(user: String?, peer: String?, room: String?, in log: EventLog) throws {
        if let user { self.user = try Self.account(nameOrID: user, in: log) }
        if let peer, let me = self.user {
            stream = .conversation(me, try Self.account(nameOrID: peer, in: log))
            // Either of them may have done it.
            self.user = nil
        }
        if let room { stream = try Self.room(room, in: log) }
    }

    /// - Throws: `ValidationError` if there is no such type of event.
    static func parseType(_ text: String) throws -> EventType {
        if let type = EventType(name: text) { return type }
        let names = EventType.allCases.map(\.name)
        let nearest = NearestName.find(text, among: names).map { " Did you mean \($0)?" } ?? ""
        throw ValidationError(
            "There are no events of the type \(text.shownAsJSON).\(nearest) The types are "
                + "\(names.joined(separator: ", "))."
        )
    }

    /// The account of that name.
    ///
    /// - Throws: ``CommandFailure`` with the status `usage` if there is none.
    static func account(_ text: String, in log: EventLog) throws -> AccountID {
        let name: AccountName
        do {
            name = try AccountName(text)
        } catch {
            throw CommandFailure("\(text.shownAsJSON) is no account: \(error)", status: .usage)
        }
        guard let id = try log.accountID(named: name) else {
            throw CommandFailure("there is no account \(text.shownAsJSON) in this log", status: .usage)
        }
        return id
    }

    /// The room with that id, or the only one with that name.
    private static func room(_ text: String, in log: EventLog) throws -> RoomID {
        var search = RoomSearch(text)
        try log.forEach(in: 1...max(log.head, 1)) { record in
            try search.look(at: record)
            return !search.isDone
        }
        guard !search.found.isEmpty else {
            throw CommandFailure("there is no room \(text.shownAsJSON) in this log", status: .usage)
        }
        return try search.only(of: search.found)
    }
}

extension EventLog {
    /// Hands the events of `range` to `body` until it returns false.
    ///
    /// In many short snapshots, so that a writer beside this can use the log's pages again meanwhile.
    func forEach(in range: ClosedRange<Offset>, _ body: (borrowing Record) throws -> Bool) throws {
        var done = range.lowerBound - 1
        var goesOn = true
        while goesOn, done < range.upperBound {
            let before = done
            try read(after: done, limit: Int(min(range.upperBound - done, 4096))) { record in
                done = record.offset
                goesOn = try body(record)
                return goesOn
            }
            if done == before { return }
        }
    }
}

extension Record {
    /// The payload.
    ///
    /// - Throws: ``CommandFailure`` that names the event.
    func readPayload() throws -> EventPayload {
        do {
            return try decodePayload()
        } catch {
            throw CommandFailure("event \(offset): \(error)")
        }
    }
}
