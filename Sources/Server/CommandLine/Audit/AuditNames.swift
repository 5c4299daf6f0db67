import Broker

/// The names of accounts and rooms by id, learned from the log itself as it is read.
///
/// An event speaks of an account only after the one that made it, so whoever reads from the beginning knows all names.
struct AuditNames: Sendable {
    private var accounts: [AccountID: String] = [:]
    private var rooms: [RoomID: String] = [:]

    /// Takes in the event if it names something.
    mutating func learn(_ record: borrowing Record) throws {
        switch record.header.type {
        case .userRegistered, .guestSeen, .roomCreated: learn(record.header, try record.readPayload())
        default: return
        }
    }

    /// Takes in an event whose payload is known already.
    mutating func learn(_ header: EventHeader, _ payload: EventPayload) {
        switch payload {
        case .userRegistered(let user): accounts[header.actor] = user.account.text
        case .guestSeen(let name): accounts[header.actor] = name.text
        case .roomCreated(let name): rooms[header.stream] = name
        default: return
        }
    }

    /// Nil if the event that named it was redacted.
    func account(_ id: AccountID) -> String? { accounts[id] }

    /// Nil if the event that named it was redacted.
    func room(_ id: RoomID) -> String? { rooms[id] }
}
