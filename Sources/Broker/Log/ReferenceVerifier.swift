internal import LMDB

/// Holds what events refer to, and what was redacted, against the events that are there.
///
/// The redaction of a record changes nothing of its leaf: that it was done by an event is looked at here alone.
struct ReferenceVerifier {
    /// Redacted records of which no event that was looked at has said so yet.
    private var redacted: Set<Offset> = []

    /// What is wrong with the reference of `record`; nil if nothing is.
    mutating func verify(
        _ record: borrowing Record,
        in transaction: borrowing ReadTransaction,
        _ events: Table
    ) throws -> LogFault? {
        let header = record.header
        if record.isRedacted { redacted.insert(record.offset) }
        switch header.type {
        case .messagesRead, .viewAttested:
            return 1..<record.offset ~= header.reference ? nil : .reference(record.offset, header)
        case .messageEdited, .messageDeleted:
            return try isReference(of: record, in: transaction, events) { target in
                target.header.type == .messageSent && target.header.stream == header.stream
                    && target.header.actor == header.actor
            }
        case .payloadRedacted:
            redacted.remove(header.reference)
            return try isReference(of: record, in: transaction, events) { target in
                target.isRedacted && target.header.payloadClass != .empty && target.header.type != .viewAttested
                    && target.header.stream == header.stream && target.header.subject == header.subject
            }
        case .userRegistered, .guestSeen, .userLoggedIn, .loginFailed, .messageSent, .roomCreated, .memberAdded,
            .memberRemoved, .ownerChanged, .userErased, .auditorRead:
            return header.reference == 0 ? nil : .reference(record.offset, header)
        }
    }

    /// The redacted records among the events that were looked at of which no event says so.
    ///
    /// - Parameter end: The last event that was looked at; those after it may say so as well, for a record was read as
    ///   it was when its turn came.
    func unexplained(after end: Offset, in transaction: borrowing ReadTransaction, _ events: Table) throws -> [Offset] {
        guard !redacted.isEmpty else { return [] }
        var left = redacted
        try transaction.scan(events, from: end + 1) { offset, bytes in
            if let record = try? Record(bytes, at: offset), record.header.type == .payloadRedacted {
                left.remove(record.header.reference)
            }
            return !left.isEmpty
        }
        return left.sorted()
    }

    private func isReference(
        of record: borrowing Record,
        in transaction: borrowing ReadTransaction,
        _ events: Table,
        _ isRight: (borrowing Record) -> Bool
    ) throws -> LogFault? {
        let fault = LogFault.reference(record.offset, record.header)
        guard 1..<record.offset ~= record.header.reference else { return fault }
        // Damage of the other event is reported where it is.
        guard let bytes = try transaction.value(of: record.header.reference, in: events),
            let target = try? Record(bytes, at: record.header.reference)
        else { return nil }
        return isRight(target) ? nil : fault
    }
}
