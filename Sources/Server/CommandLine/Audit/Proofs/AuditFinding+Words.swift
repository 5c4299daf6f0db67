import Broker
import Cryptography

extension AuditFinding {
    /// What is proven, in a sentence.
    var sentence: String {
        switch proven {
        case .checkpoint: "the log signed this checkpoint of \(checkpoint.size) events"
        case .event(let event, _): "event \(event.offset) is in the log, as shown here"
        case .continuation(let old):
            "the log of \(checkpoint.size) events begins with the \(old.size) of the older checkpoint"
        }
    }

    /// The rest, safe to show on a terminal.
    var details: [(name: String, text: String)] {
        var details: [(name: String, text: String)] = []
        switch proven {
        case .checkpoint: break
        case .event(let event, let payload): details = Self.details(of: event, payload)
        case .continuation(let old): details.append(("old root", old.root.base64))
        }
        details.append(("log", TerminalText.escape(String(decoding: checkpoint.origin, as: UTF8.self))))
        details.append(("tree", "\(checkpoint.size) events, root \(checkpoint.root.base64)"))
        for signature in verified.cosignatures {
            let time = signature.seconds.map { " at \(Timestamp.text(milliseconds: $0 &* 1000))" } ?? ""
            details.append(("witness", TerminalText.escape(signature.key.name.description) + time))
        }
        return details
    }

    /// Adds what ``details`` says.
    func append(to object: inout JSONObjectWriter) {
        object.checkpoint(checkpoint)
        object.objects("witnesses", verified.cosignatures.map(\.json))
        switch proven {
        case .checkpoint: break
        case .event(let event, let payload):
            object.object("event", AuditJSON.object(Self.audited(event, payload)))
            object.text("leaf", event.leafHash(with: SHA256()).base64)
        case .continuation(let old):
            object.number("old_size", old.size)
            object.text("old_root", old.root.base64)
        }
    }

    private static func details(of event: DisclosedEvent, _ payload: EventPayload) -> [(name: String, text: String)] {
        let audited = audited(event, payload)
        let header = audited.header
        var details = [
            ("time", Timestamp.text(milliseconds: header.milliseconds)),
            ("type", header.type.name),
            ("actor", header.actor.description),
            ("subject", header.subject.description),
            ("stream", "\(header.stream), of which it is event \(header.revision)"),
        ]
        if header.reference != 0 { details.append(("reference", String(header.reference))) }
        let isSecret = audited.isRedacted && header.payloadClass == .credential
        let what = isSecret ? "(not shown: it holds a secret)" : audited.what
        if !what.isEmpty { details.append(("what", what)) }
        return details
    }

    /// The event with the names that it tells itself: nobody else is here to ask.
    private static func audited(_ event: DisclosedEvent, _ payload: EventPayload) -> AuditEvent {
        var names = AuditNames()
        names.learn(event.record.header, payload)
        return AuditEvent(event.record, payload: payload, names: &names)
    }
}

extension VerifiedSignature {
    fileprivate var json: JSONObjectWriter {
        var object = JSONObjectWriter()
        object.text("name", key.name.description)
        object.text("key", key.description)
        object.text("time", seconds.map { Timestamp.text(milliseconds: $0 &* 1000) })
        return object
    }
}
