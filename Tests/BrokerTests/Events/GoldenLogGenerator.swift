import Cryptography
import LMDB
import SwiftProtobuf

@testable import Broker

/// Makes the golden log of format 1: a short history of three people and a room, with every type of event.
///
/// It was run once. Format 1 is released, so what it wrote doesn't change any more; a later format gets a file of its
/// own.
struct GoldenLogGenerator {
    private(set) var records: [[UInt8]] = []
    private var revisions: [StreamID: UInt64] = [:]
    private var milliseconds: UInt64 = 1_763_700_000_000
    private var random = SplitMix(seed: 1)

    init() throws {
        let alice = nextID()
        let ming = nextID()
        let guest = nextID()
        let room = nextID()
        try account(alice, registered("alice", "Alice Ω", "alice@example.org"))
        var imported = registered("小明", "王小明 🙂", "ming@example.tw")
        imported.occurredAtMilliseconds = 1_600_000_000_000
        imported.legacyID = "42"
        try account(ming, imported)
        try event(.guestSeen, .personal, guest, guest, guest, try .guestSeen(account: AccountName("гость-1")))
        try oldLogin(alice, "192.0.2.1:50123")
        try oldLogin(ming, "[2001:db8::1]:443")
        try oldLogin(ming, "2001:db8::2")
        try event(.userLoggedIn, .personal, alice, alice, alice, .userLoggedIn(address: "2001:db8::3", port: 65_535))
        try event(.loginFailed, .personal, ming, ming, ming, .loginFailed(address: "198.51.100.7"))

        let conversation = StreamID.conversation(alice, ming)
        for (index, text) in Sample.texts.dropLast(2).enumerated() {
            let (sender, recipient) = index % 3 == 0 ? (ming, alice) : (alice, ming)
            let id = index % 2 == 0 ? "" : "訊息-\(index)"
            try event(.messageSent, .content, sender, recipient, conversation, .messageSent(content: text, id: id))
        }
        try event(.messageSent, .empty, alice, ming, conversation, .messageSent(content: "", id: ""))
        try importedMessage(from: ming, to: alice, in: conversation)
        let read = offset
        try event(.messagesRead, .empty, alice, ming, conversation, .empty(.messagesRead), reference: read)
        try event(.messageSent, .content, alice, ming, conversation, .messageSent(content: "tpyo", id: "e"))
        let typo = offset
        try event(
            .messageEdited,
            .content,
            alice,
            ming,
            conversation,
            .messageEdited(content: "typo ✏️"),
            reference: typo
        )
        try event(.messageDeleted, .empty, alice, ming, conversation, .empty(.messageDeleted), reference: typo)
        try redactedMessage(from: alice, to: ming, in: conversation)
        try event(.messageSent, .content, ming, ming, .conversation(ming, ming), .messageSent(content: "備忘", id: ""))

        try event(.roomCreated, .content, alice, room, room, .roomCreated(name: "聊天室 / ロビー"))
        for member in [alice, ming, guest] {
            try event(.memberAdded, .empty, alice, member, room, .empty(.memberAdded))
        }
        for (sender, text) in [(alice, "歡迎"), (guest, "Привет!"), (ming, "👋🏽")] {
            try event(.messageSent, .content, sender, room, room, .messageSent(content: text, id: ""))
        }
        try event(.messagesRead, .empty, alice, room, room, .empty(.messagesRead), reference: offset)
        try event(.memberRemoved, .empty, guest, guest, room, .empty(.memberRemoved))
        try event(.memberRemoved, .empty, alice, alice, room, .empty(.memberRemoved))
        try event(.ownerChanged, .empty, alice, ming, room, .empty(.ownerChanged))
        try event(.messageSent, .content, ming, room, room, .messageSent(content: "كلهم رحلوا", id: "last"))
        try account(guest, registered("гость-1", "Гость", "guest@example.org"))
    }

    /// The offset of the last event.
    private var offset: Offset { Offset(records.count) }

    private mutating func nextID() -> Identifier { Identifier(high: random.next(), low: random.next()) }

    private func registered(_ account: String, _ username: String, _ email: String) -> EventPayload.UserRegistered {
        EventPayload.UserRegistered(
            account: AccountName(trusting: Array(account.utf8)),
            username: username,
            email: email,
            passwordHash: "$2b$04$" + String(repeating: "golden", count: 8) + "12345"
        )
    }

    private mutating func account(_ id: AccountID, _ user: EventPayload.UserRegistered) throws {
        try event(.userRegistered, .credential, id, id, id, .userRegistered(user))
    }

    private mutating func oldLogin(_ id: AccountID, _ remote: String) throws {
        let payload = Quipu_V1_UserLoggedInPayloadV1.with { $0.remote = remote }
        append(
            EventHeader(type: .userLoggedIn, version: 1, payloadClass: .personal, actor: id, subject: id, stream: id),
            try payload.serializedBytes()
        )
    }

    private mutating func importedMessage(from sender: AccountID, to recipient: AccountID, in stream: StreamID) throws {
        let payload = Quipu_V1_MessageSentPayload.with {
            $0.content = "從舊系統來"
            $0.occurredAtMs = 1_500_000_000_000
            $0.legacyID = "7"
        }
        append(
            EventHeader(
                type: .messageSent,
                payloadClass: .content,
                actor: sender,
                subject: recipient,
                stream: stream
            ),
            try payload.serializedBytes()
        )
    }

    private mutating func redactedMessage(from sender: AccountID, to recipient: AccountID, in stream: StreamID) throws {
        try event(.messageSent, .content, sender, recipient, stream, .messageSent(content: "a secret", id: ""))
        let full = records.removeLast()
        records.append(try Record(full.span, at: offset + 1).redacted(with: SHA256()))
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
        let header = EventHeader(
            type: type,
            version: EventPayload.currentVersion(of: type),
            payloadClass: payloadClass,
            actor: actor,
            subject: subject,
            stream: stream,
            reference: reference
        )
        append(header, try payload.encode())
    }

    private mutating func append(_ header: EventHeader, _ payload: [UInt8]) {
        var header = header
        header.revision = revisions[header.stream, default: 0] + 1
        revisions[header.stream] = header.revision
        // Some events share a commit, and so a time.
        if offset % 3 != 2 { milliseconds += 1 + random.next() % 100_000 }
        header.milliseconds = milliseconds
        records.append(header.record(salt: (random.next(), random.next()), payload: payload))
    }
}
