import Cryptography

@testable import Broker

/// Makes the second golden log of format 1: messages and an account that are erased, attestations, an auditor.
///
/// It was run once, as the first one was.
struct GoldenErasureGenerator {
    private(set) var records: [[UInt8]] = []
    private var revisions: [StreamID: UInt64] = [:]
    private var milliseconds: UInt64 = 1_795_000_000_000
    private var random = SplitMix(seed: 2)

    init() throws {
        let (alice, bob, auditor) = (nextID(), nextID(), nextID())
        let room = nextID()
        for (id, name) in [(alice, "alice"), (bob, "βοβ"), (auditor, "稽核")] {
            var user = EventPayload.UserRegistered(
                account: AccountName(trusting: Array(name.utf8)),
                username: name,
                email: "\(name)@example.org",
                passwordHash: "$2b$04$golden"
            )
            user.legacyID = name
            try event(.userRegistered, .credential, id, id, id, .userRegistered(user))
        }
        let conversation = StreamID.conversation(alice, bob)
        try event(.messageSent, .content, alice, bob, conversation, .messageSent(content: "a secret", id: "s"))
        try event(
            .messageEdited,
            .content,
            alice,
            bob,
            conversation,
            .messageEdited(content: "still one"),
            reference: 4
        )
        try event(.messageSent, .content, bob, alice, conversation, .messageSent(content: "kept", id: ""))
        try event(.roomCreated, .content, alice, room, room, .roomCreated(name: "plans"))
        try event(.userLoggedIn, .personal, alice, alice, alice, .userLoggedIn(address: "2001:db8::1", port: 443))

        try redact(4, "a court asked for it", by: auditor)
        try redact(5, "裁定 🧾", by: .none)
        try redact(7, "", by: .none)
        try attest([("users", 2), ("conversations", 3)], at: 11)
        try attest([], at: 1)
        let request = "/audit/events?user=alice&since=2026-01-01"
        try event(.auditorRead, .personal, auditor, auditor, auditor, .auditorRead(request: request))
        try event(.userErased, .content, .none, alice, alice, .userErased(reason: "she asked for it"))
        for offset in [1, 8] as [Offset] { try redact(offset, "she asked for it", by: .none) }
        // A reason that said too much.
        try redact(9, "", by: .none)
    }

    private mutating func nextID() -> Identifier { Identifier(high: random.next(), low: random.next()) }

    /// The event at `target` loses its payload, and another says so.
    private mutating func redact(_ target: Offset, _ reason: String, by actor: AccountID) throws {
        let index = Int(target) - 1
        let bytes = records[index]
        let record = try Record(bytes.span, at: target)
        records[index] = record.redacted(with: SHA256())
        try event(
            .payloadRedacted,
            reason.isEmpty ? .empty : .content,
            actor,
            record.header.subject,
            record.header.stream,
            .payloadRedacted(reason: reason),
            reference: target
        )
    }

    private mutating func attest(_ views: [(String, UInt32)], at offset: Offset) throws {
        let attested = views.map { Sample.attested($0, $1) }
        let payloadClass: PayloadClass = views.isEmpty ? .empty : .content
        try event(.viewAttested, payloadClass, .none, .system, .system, .viewAttested(attested), reference: offset)
    }

    private mutating func event(
        _ type: EventType,
        _ payloadClass: PayloadClass,
        _ actor: AccountID,
        _ subject: Identifier,
        _ stream: StreamID,
        _ payload: EventPayload,
        reference: Offset = 0
    ) throws {
        revisions[stream, default: 0] += 1
        milliseconds += random.next() % 100_000
        let header = EventHeader(
            type: type,
            version: EventPayload.currentVersion(of: type),
            payloadClass: payloadClass,
            milliseconds: milliseconds,
            actor: actor,
            subject: subject,
            stream: stream,
            revision: revisions[stream, default: 0],
            reference: reference
        )
        records.append(header.record(salt: (random.next(), random.next()), payload: try payload.encode()))
    }
}
