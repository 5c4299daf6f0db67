internal import LMDB

/// Makes the table of names anew from the events that claim and release names, and compares.
///
/// No leaf covers the table, and it decides whose a name is.
struct NameVerifier {
    private(set) var owners: [AccountName: (account: AccountID, event: Offset)] = [:]
    /// Whether an event that may have claimed or released a name couldn't be read.
    private(set) var isIncomplete = false

    mutating func skipUnreadable() { isIncomplete = true }

    /// Takes in an event, whose payload is that of its header's type.
    mutating func apply(_ header: EventHeader, _ payload: EventPayload, at offset: Offset) {
        switch payload {
        case .userRegistered(let user): owners[user.account] = (header.subject, offset)
        case .guestSeen(let name): owners[name] = (header.subject, offset)
        case .userErased: owners = owners.filter { $0.value.account != header.subject }
        default: return
        }
    }

    /// Takes in what has come after `end`, and says in what the table is another, in the order of its names.
    ///
    /// All in one snapshot, because a writer may be claiming names.
    mutating func compare(
        after end: Offset,
        in transaction: borrowing ReadTransaction,
        events: Table,
        names: Table
    ) throws -> [LogFault] {
        try transaction.scan(events, from: end + 1) { offset, bytes in
            guard let record = try? Record(bytes, at: offset), let payload = try? record.decodePayload() else {
                isIncomplete = true
                return false
            }
            apply(record.header, payload, at: offset)
            return true
        }
        guard !isIncomplete else { return [] }
        var faults: [LogFault] = []
        var left = owners
        try transaction.scan(names) { key, value in
            let name = AccountName(trusting: [UInt8](copying: key))
            guard let owner = left.removeValue(forKey: name) else {
                faults.append(.name(name, claimedBy: nil))
                return true
            }
            if value.count != Identifier.byteCount || Identifier(value) != owner.account {
                faults.append(.name(name, claimedBy: owner.event))
            }
            return true
        }
        let gone = left.map { ($0.key, $0.value.event) }.sorted { $0.1 < $1.1 }
        return faults + gone.map { .name($0.0, claimedBy: $0.1) }
    }
}
