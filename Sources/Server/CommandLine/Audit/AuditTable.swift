import Broker
import Cryptography

/// Events as a table for people: offset, time, type, who, what.
///
/// No character of a stranger's reaches the terminal as a command.
struct AuditTable: AuditPrinter {
    private let offsetColumns: Int
    private static let typeColumns = EventType.allCases.map(\.name.count).max() ?? 0
    private static let whoColumns = 16

    /// - Parameter head: The greatest offset that may come.
    init(head: Offset) { offsetColumns = max(6, String(head).count) }

    func header(_ bytes: inout [UInt8]) {
        append(offset: "OFFSET", time: "TIME", type: "TYPE", who: "WHO", what: "WHAT", to: &bytes)
    }

    func append(_ event: AuditEvent, to bytes: inout [UInt8]) {
        append(
            offset: String(event.offset),
            time: Timestamp.text(milliseconds: event.header.milliseconds),
            type: event.header.type.name,
            who: TerminalText.escape(event.actor.label),
            what: event.what,
            to: &bytes
        )
    }

    private func append(
        offset: String,
        time: String,
        type: String,
        who: String,
        what: String,
        to bytes: inout [UInt8]
    ) {
        let aligned = String(repeating: " ", count: max(0, offsetColumns - offset.count)) + offset
        var line = aligned + "  " + TerminalText.pad(time, to: Timestamp.byteCount)
        line += TerminalText.pad(type, to: Self.typeColumns) + TerminalText.pad(who, to: Self.whoColumns) + what
        while line.hasSuffix(" ") { line.removeLast() }
        bytes.append(contentsOf: line.utf8)
        bytes.append(UInt8(ascii: "\n"))
    }
}

extension AuditEvent {
    /// The event in words, safe to show on a terminal.
    var what: String {
        let what = TerminalText.escape(words)
        // Escaped by itself, so that its line breaks can be told from ours.
        guard let content else { return what }
        return what + ": " + TerminalText.escape(content)
    }

    private var words: String {
        if isRedacted { return [place, "(redacted)"].compactMap(\.self).joined(separator: " ") }
        switch payload {
        case .userRegistered(let user):
            return "as " + user.username + (user.email.isEmpty ? "" : " <\(user.email)>")
        case .guestSeen: return "for the first time"
        case .userLoggedIn(let address, let port):
            guard port != 0 else { return "from \(address)" }
            return "from " + (address.contains(":") ? "[\(address)]:\(port)" : "\(address):\(port)")
        case .loginFailed(let address): return "from \(address)"
        case .messageSent: return place ?? ""
        case .messageEdited: return "\(place ?? "") \(header.reference)"
        case .roomCreated: return place ?? ""
        case .payloadRedacted: return "event \(header.reference)"
        case .userErased, .auditorRead: return ""
        case .viewAttested(let views):
            return views.map { "\($0.name) \($0.digest) at \(header.reference)" }.joined(separator: ", ")
        case .empty(.messagesRead): return "\(place ?? "") up to \(header.reference)"
        case .empty(.messageDeleted): return "\(place ?? "") \(header.reference)"
        case .empty: return "\(member?.label ?? "") \(place ?? "")"
        case .redacted: return "(redacted)"
        }
    }

    private var place: String? {
        if let peer { return "to \(peer.label)" }
        return room.map { "in \($0.label) (\($0.id.uuidText))" }
    }
}
