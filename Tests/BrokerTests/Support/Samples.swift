import Cryptography
import Testing

@testable import Broker

/// Texts in several scripts and with what encoders stumble over, and ids that can be told apart at a glance.
enum Sample {
    static let texts = [
        "hello", "你好,世界", "안녕하세요", "こんにちは", "Здравствуйте", "مرحبا بالعالم", "שלום", "नमस्ते", "สวัสดี",
        "👩‍👩‍👧‍👦 🏳️‍🌈 🇹🇼", "a\u{0}b", "line\nbreak\ttab \"quoted\" \\back", "e\u{301} is not é", "\u{202e}rtl", "",
        String(repeating: "長", count: 5000),
    ]

    /// An id all of whose bytes are `byte`.
    static func id(_ byte: UInt8) -> Identifier {
        let word = UInt64(byte) &* 0x0101_0101_0101_0101
        return Identifier(high: word, low: word)
    }

    static func name(_ text: String) throws -> AccountName { try AccountName(text) }

    /// A payload of each kind, for every text.
    static func payloads() throws -> [EventPayload] {
        var payloads: [EventPayload] = [
            .empty(.messagesRead), .empty(.messageDeleted), .empty(.memberAdded), .empty(.memberRemoved),
            .empty(.ownerChanged), .userLoggedIn(address: "2001:db8::1", port: 65_535),
            .userLoggedIn(address: "192.0.2.1", port: 0), .guestSeen(account: try name("客人")), .viewAttested([]),
            .viewAttested([attested("a", 0), attested("觀", .max), attested("", 300)]),
        ]
        for text in texts {
            var user = EventPayload.UserRegistered(
                account: try name("用戶"),
                username: text,
                email: text,
                passwordHash: text
            )
            user.occurredAtMilliseconds = UInt64(text.utf8.count) << 40
            user.legacyID = text
            payloads += [
                .userRegistered(user), .loginFailed(address: text), .messageSent(content: text, id: ""),
                .messageSent(content: "", id: text), .messageSent(content: text, id: text),
                .messageEdited(content: text), .roomCreated(name: text), .payloadRedacted(reason: text),
                .userErased(reason: text), .auditorRead(request: text),
            ]
        }
        return payloads
    }

    static func attested(_ name: String, _ version: UInt32) -> EventPayload.AttestedView {
        EventPayload.AttestedView(name: name, version: version, digest: SHA256.hash(Array(name.utf8).span))
    }
}

extension EventPayload {
    var type: EventType {
        switch self {
        case .userRegistered: .userRegistered
        case .guestSeen: .guestSeen
        case .userLoggedIn: .userLoggedIn
        case .loginFailed: .loginFailed
        case .messageSent: .messageSent
        case .messageEdited: .messageEdited
        case .roomCreated: .roomCreated
        case .payloadRedacted: .payloadRedacted
        case .userErased: .userErased
        case .viewAttested: .viewAttested
        case .auditorRead: .auditorRead
        case .empty(let type), .redacted(let type): type
        }
    }
}

extension EventHeader {
    /// A header whose fields are all different.
    static func sample(_ type: EventType, version: UInt8? = nil, payloadClass: PayloadClass = .content) -> EventHeader {
        EventHeader(
            type: type,
            version: version ?? EventPayload.currentVersion(of: type),
            payloadClass: payloadClass,
            milliseconds: 1_790_000_000_123,
            actor: Sample.id(0xa1),
            subject: Sample.id(0xb2),
            stream: Sample.id(0xc3),
            revision: 77,
            reference: 66
        )
    }

    /// The stored form of an event with this header.
    func record(salt: (UInt64, UInt64) = (1, 2), payload: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        Record.append(header: self, salt: salt, payload: payload.span, to: &bytes)
        return bytes
    }
}

/// What reading `bytes` as a record throws; nil if it succeeds.
func refusal(of bytes: [UInt8], trusting: Bool = false) -> RecordError? {
    do throws(RecordError) {
        if trusting {
            _ = try Record(trusting: bytes.span, at: 1).decodePayload()
        } else {
            _ = try Record(bytes.span, at: 1).decodePayload()
        }
        return nil
    } catch {
        return error
    }
}

/// `hex` as bytes; anything but digits is skipped.
func bytes(hex: String) -> [UInt8] {
    let digits = hex.compactMap(\.hexDigitValue).map(UInt8.init)
    return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}
