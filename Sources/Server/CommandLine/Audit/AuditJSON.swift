import Broker

/// Events as JSON Lines: an object a line, the same keys for events of a type.
struct AuditJSON: AuditPrinter {
    func header(_ bytes: inout [UInt8]) {}

    func append(_ event: AuditEvent, to bytes: inout [UInt8]) {
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
        bytes.append(contentsOf: object.finished)
        bytes.append(UInt8(ascii: "\n"))
    }

    private func append(_ payload: EventPayload, to object: inout JSONObjectWriter) {
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
        case .empty, .redacted: break
        }
    }
}

/// Writes one flat JSON object, keys in the order in which they come.
struct JSONObjectWriter {
    private var bytes: [UInt8] = [UInt8(ascii: "{")]

    /// The object, closed.
    var finished: [UInt8] { bytes + [UInt8(ascii: "}")] }

    mutating func text(_ key: StaticString, _ value: String?) {
        begin(key)
        guard let value else {
            bytes.append(contentsOf: "null".utf8)
            return
        }
        bytes.append(UInt8(ascii: "\""))
        append(value)
        bytes.append(UInt8(ascii: "\""))
    }

    mutating func number(_ key: StaticString, _ value: UInt64) {
        begin(key)
        bytes.append(contentsOf: String(value).utf8)
    }

    mutating func flag(_ key: StaticString, _ value: Bool) {
        begin(key)
        bytes.append(contentsOf: (value ? "true" : "false").utf8)
    }

    private mutating func begin(_ key: StaticString) {
        if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
        bytes.append(UInt8(ascii: "\""))
        bytes.append(contentsOf: key.description.utf8)
        bytes.append(contentsOf: [UInt8(ascii: "\""), UInt8(ascii: ":")])
    }

    private mutating func append(_ value: String) {
        let utf8 = Array(value.utf8)
        // JSON may hold DEL and the C1 controls as they are, but a terminal that shows the line may obey them.
        guard value.unicodeScalars.contains(where: { 0x7f...0x9f ~= $0.value }) else {
            JSONEscape.append(utf8.span, to: &bytes)
            return
        }
        for scalar in value.unicodeScalars {
            if 0x7f...0x9f ~= scalar.value {
                bytes.append(contentsOf: "\\u00\(String(scalar.value, radix: 16))".utf8)
            } else {
                let utf8 = Array(String(scalar).utf8)
                JSONEscape.append(utf8.span, to: &bytes)
            }
        }
    }
}
