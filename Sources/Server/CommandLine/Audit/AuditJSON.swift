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
        append(event.payload, to: &object)
        return object
    }

    private static func append(_ payload: EventPayload, to object: inout JSONObjectWriter) {
        switch payload {
        case .userRegistered(let user):
            // Never the password's hash.
            object.text("account", user.account.text)
            object.text("username", user.username)
            object.text("email", user.email)
            if user.occurredAtMilliseconds > 0 {
                object.text("occurred_at", Timestamp.text(milliseconds: user.occurredAtMilliseconds))
            }
            if !user.legacyID.isEmpty { object.text("legacy_id", user.legacyID) }
        case .guestSeen(let account): object.text("account", account.text)
        case .userLoggedIn(let address, let port):
            object.text("address", address)
            object.number("port", UInt64(port))
        case .loginFailed(let address): object.text("address", address)
        case .messageSent(let content, let id):
            object.text("content", content)
            if !id.isEmpty { object.text("id", id) }
        case .messageEdited(let content): object.text("content", content)
        case .roomCreated(let name): object.text("name", name)
        case .payloadRedacted(let reason), .userErased(let reason): object.text("reason", reason)
        case .auditorRead(let request): object.text("request", request)
        case .viewAttested(let views):
            for view in views {
                object.text("view", view.name)
                object.number("view_version", UInt64(view.version))
                object.text("digest", view.digest.description)
            }
        case .empty, .redacted: break
        }
    }
}
