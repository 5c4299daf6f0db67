import Broker

/// An event with names in the place of ids: what the three formats print.
struct AuditEvent: Sendable {
    /// An account or a room; `name` is nil if it was redacted.
    struct Party: Equatable, Sendable {
        var id: Identifier
        var name: String?

        /// The name, or else the id; for who runs the server what no account is called.
        var label: String { name ?? (id == .none ? "Server" : id.description) }
    }

    var offset: Offset
    var header: EventHeader
    var isRedacted: Bool
    var payload: EventPayload

    var actor: Party
    /// The other side of a direct conversation.
    var peer: Party?
    var room: Party?
    /// Whom a change of a room concerns.
    var member: Party?

    init(_ record: borrowing Record, payload: EventPayload, names: inout AuditNames) {
        let header = record.header
        offset = record.offset
        self.header = header
        isRedacted = record.isRedacted
        self.payload = payload

        func account(_ id: AccountID) -> Party { Party(id: id, name: names.account(id)) }
        func room(_ id: RoomID) -> Party { Party(id: id, name: names.room(id)) }
        actor = account(header.actor)
        switch header.type {
        case .userRegistered, .guestSeen, .userLoggedIn, .loginFailed, .userErased, .viewAttested, .auditorRead: break
        case .payloadRedacted:
            // Of a message to somebody, in a room, or of what an account says about itself.
            if !header.concernsRoom { peer = account(header.subject) }
        case .messageSent, .messagesRead, .messageEdited, .messageDeleted:
            if header.concernsRoom { self.room = room(header.subject) } else { peer = account(header.subject) }
        case .roomCreated: self.room = room(header.stream)
        case .memberAdded, .memberRemoved, .ownerChanged:
            self.room = room(header.stream)
            member = account(header.subject)
        }
    }

    /// What was written, if that is what the event says.
    var content: String? {
        switch payload {
        case .messageSent(let content, _), .messageEdited(let content): content
        case .payloadRedacted(let reason), .userErased(let reason): reason
        case .auditorRead(let request): request
        default: nil
        }
    }
}
