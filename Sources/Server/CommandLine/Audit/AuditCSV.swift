import Broker

/// Events as comma-separated values: a header line, the same columns in every line, CRLF (RFC 4180).
///
/// Exact: nothing is escaped but quotes.
struct AuditCSV: AuditPrinter {
    static let columns = [
        "offset", "time", "type", "version", "actor", "to", "room", "room_name", "member", "stream", "revision",
        "reference", "redacted", "content", "detail",
    ]

    func header(_ bytes: inout [UInt8]) { Self.append(Self.columns, to: &bytes) }

    func append(_ event: AuditEvent, to bytes: inout [UInt8]) {
        let header = event.header
        Self.append(
            [
                String(event.offset), Timestamp.text(milliseconds: header.milliseconds), header.type.name,
                String(header.version), event.actor.label, event.peer?.label ?? "", event.room?.id.uuidText ?? "",
                event.room?.name ?? "", event.member?.label ?? "", header.stream.description, String(header.revision),
                String(header.reference), event.isRedacted ? "true" : "false", event.content ?? "", event.detail,
            ],
            to: &bytes
        )
    }

    static func append(_ fields: [String], to bytes: inout [UInt8]) {
        for (index, field) in fields.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            append(field, to: &bytes)
        }
        bytes.append(contentsOf: [0x0d, 0x0a])
    }

    private static func append(_ field: String, to bytes: inout [UInt8]) {
        let quote = UInt8(ascii: "\"")
        guard field.utf8.contains(where: { $0 == quote || $0 == UInt8(ascii: ",") || $0 < 0x20 }) else {
            bytes.append(contentsOf: field.utf8)
            return
        }
        bytes.append(quote)
        for byte in field.utf8 {
            if byte == quote { bytes.append(quote) }
            bytes.append(byte)
        }
        bytes.append(quote)
    }
}

extension AuditEvent {
    /// What an event says besides names and content: an address, a profile, a client's message id.
    fileprivate var detail: String {
        switch payload {
        case .userRegistered(let user): user.email.isEmpty ? user.username : "\(user.username) <\(user.email)>"
        case .userLoggedIn(let address, let port): port == 0 ? address : "\(address) \(port)"
        case .loginFailed(let address): address
        case .messageSent(_, let id): id
        default: ""
        }
    }
}
