import Broker
import Cryptography

/// Events as JSON Lines: an object a line, the same keys for events of a type.
struct AuditJSON: AuditPrinter {
    func header(_ bytes: inout [UInt8]) {}

    func append(_ event: AuditEvent, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: Self.object(event).finished)
        bytes.append(UInt8(ascii: "\n"))
    }

    /// The event as an object.
    static func object(_ event: AuditEvent) -> JSONObjectWriter {
        var object = JSONObjectWriter()
        let header = event.header
        object.number("offset", event.offset)
        object.text("time", Timestamp.text(milliseconds: header.milliseconds))
        object.text("type", header.type.name)
        object.number("version", UInt64(header.version))
        object.text("actor", event.actor.name)
        object.text("actor_id", header.actor.description)
        if let peer = event.peer {
            object.text("to", peer.name)
            object.text("to_id", peer.id.description)
        }
        if let room = event.room {
            object.text("room", room.id.uuidText)
            object.text("room_name", room.name)
        }
        if let member = event.member {
            object.text("member", member.name)
            object.text("member_id", member.id.description)
        }
        object.text("stream", header.stream.description)
        object.number("revision", header.revision)
        object.number("reference", header.reference)
        object.flag("redacted", event.isRedacted)
        object.payload(event.payload)
        return object
    }
}

extension JSONObjectWriter {
    /// Adds what an event says beyond its header; never a password's hash.
    mutating func payload(_ payload: EventPayload) {
        switch payload {
        case .userRegistered(let user):
            text("account", user.account.text)
            text("username", user.username)
            text("email", user.email)
            if user.occurredAtMilliseconds > 0 {
                text("occurred_at", Timestamp.text(milliseconds: user.occurredAtMilliseconds))
            }
            if !user.legacyID.isEmpty { text("legacy_id", user.legacyID) }
        case .guestSeen(let account): text("account", account.text)
        case .userLoggedIn(let address, let port):
            text("address", address)
            number("port", UInt64(port))
        case .loginFailed(let address): text("address", address)
        case .messageSent(let content, let id):
            text("content", content)
            if !id.isEmpty { text("id", id) }
        case .messageEdited(let content): text("content", content)
        case .roomCreated(let name): text("name", name)
        case .payloadRedacted(let reason), .userErased(let reason): text("reason", reason)
        case .auditorRead(let request): text("request", request)
        case .viewAttested(let views):
            let objects = views.map { view in
                var object = JSONObjectWriter()
                object.text("name", view.name)
                object.number("version", UInt64(view.version))
                object.text("digest", view.digest.description)
                return object
            }
            self.objects("views", objects)
        case .empty, .redacted: break
        }
    }
}
