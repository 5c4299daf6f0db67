// Erasing what takes more than one command: the events are looked for in the log, and their payloads go some hundred at
// a time, so that nobody waits long for the writer in between.

extension Broker {
    /// What an erasure has done.
    package struct Erasure: Equatable, Sendable {
        /// The last event that it wrote; 0 if everything was so already.
        package var last: Offset
        /// How many events lost their payload.
        package var redacted: Int

        package init(last: Offset, redacted: Int) {
            self.last = last
            self.redacted = redacted
        }
    }

    /// How many payloads one command erases.
    private static let chunk = 256

    /// Erases the payload of the event at `offset`, and, if it is a message, what it was edited to.
    ///
    /// Returns when that is on disk. The bytes leave the files with ``compactLog()`` and a rebuild of the views. Once
    /// interrupted, it may be called again and does the rest.
    ///
    /// - Parameter actor: ``Identifier/none`` for the operator.
    /// - Throws: ``Refusal``, ``EventLog/Damaged``.
    @concurrent
    package func redact(_ offset: Offset, reason: String, by actor: AccountID) async throws -> Erasure {
        var erasure = Erasure(last: 0, redacted: 0)
        try await redact([offset], reason: reason, by: actor, &erasure)
        guard let header = try log.withRecord(at: offset, { $0.header }), header.type == .messageSent else {
            return erasure
        }
        // From here on nobody edits it any more.
        let edits = try await log.search(after: offset) { record in
            record.header.type == .messageEdited && record.header.reference == offset
                && record.header.stream == header.stream && record.holdsPayload
        }
        try await redact(edits, reason: reason, by: actor, &erasure)
        return erasure
    }

    /// Takes the name from `account`, and erases all payloads that are the account's: its registrations, its
    /// logins, its messages and what it edited them to.
    ///
    /// Names that it gave to rooms stay, and so do reasons for redactions and what it asked for as an auditor. Returns
    /// when that is on disk. The bytes leave the files with ``compactLog()`` and a rebuild of the views. Once
    /// interrupted, it may be called again and does the rest.
    ///
    /// - Parameter actor: ``Identifier/none`` for the operator.
    /// - Throws: ``Refusal``, ``EventLog/Damaged``.
    @concurrent
    package func eraseUser(_ account: AccountID, reason: String, by actor: AccountID) async throws -> Erasure {
        var erasure = Erasure(last: 0, redacted: 0)
        let command = Command.UserErasure(
            account: account,
            names: try log.names(of: account),
            reason: reason,
            actor: actor
        )
        switch await execute(.eraseUser(command)) {
        case .stored(let last): erasure.last = last
        case .refused(let refusal): throw refusal
        default: break
        }
        // From here on nobody acts as the account.
        let offsets = try await log.search(after: 0) { $0.header.actor == account && $0.holdsPayloadOfActor }
        try await redact(offsets, reason: reason, by: actor, &erasure)
        return erasure
    }

    /// Erases what the accounts that were erased have left, because their erasure was interrupted.
    ///
    /// It can't be asked for by name again: the name goes first.
    ///
    /// - Parameter actor: ``Identifier/none`` for the operator.
    /// - Throws: ``Refusal``, ``EventLog/Damaged``.
    @concurrent
    package func finishErasures(by actor: AccountID) async throws -> Erasure {
        var reasons: [AccountID: String] = [:]
        _ = try await log.search(after: 0) { record in
            guard record.header.type == .userErased else { return false }
            reasons[record.header.subject] = (try? record.decodePayload())?.reason ?? ""
            return false
        }
        var left: [AccountID: [Offset]] = [:]
        let offsets = try await log.search(after: 0) { record in
            guard reasons[record.header.actor] != nil, record.holdsPayloadOfActor else { return false }
            left[record.header.actor, default: []].append(record.offset)
            return true
        }
        var erasure = Erasure(last: 0, redacted: 0)
        guard !offsets.isEmpty else { return erasure }
        for (account, offsets) in left.sorted(by: { $0.key < $1.key }) {
            try await redact(offsets, reason: reasons[account] ?? "", by: actor, &erasure)
        }
        return erasure
    }

    private func redact(
        _ offsets: [Offset],
        reason: String,
        by actor: AccountID,
        _ erasure: inout Erasure
    ) async throws {
        for start in stride(from: 0, to: offsets.count, by: Self.chunk) {
            let chunk = Array(offsets[start..<min(start + Self.chunk, offsets.count)])
            switch await execute(.redact(.init(offsets: chunk, reason: reason, actor: actor))) {
            case .stored(let last):
                erasure.last = last
                erasure.redacted += chunk.count
            case .refused(let refusal): throw refusal
            default: break
            }
        }
    }
}

extension EventPayload {
    /// Why an account was erased.
    fileprivate var reason: String? { if case .userErased(let reason) = self { reason } else { nil } }
}

extension Record {
    /// Whether there is anything to erase.
    fileprivate var holdsPayload: Bool { !isRedacted && header.payloadClass != .empty }

    /// Whether there is anything to erase that is the actor's own.
    fileprivate var holdsPayloadOfActor: Bool {
        guard holdsPayload else { return false }
        switch header.type {
        case .userRegistered, .guestSeen, .userLoggedIn, .loginFailed, .messageSent, .messageEdited: return true
        default: return false
        }
    }
}
