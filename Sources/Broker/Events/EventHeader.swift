internal import LMDB

/// The position of an event in the log: dense from 1, never used again, below 2^53.
///
/// 0 is before the first.
package typealias Offset = UInt64

/// What happened.
///
/// The raw value is in the log: it never changes.
package enum EventType: UInt8, CaseIterable, Sendable {
    case userRegistered = 1
    case guestSeen = 2
    case userLoggedIn = 3
    case loginFailed = 4
    case messageSent = 5
    case messagesRead = 6
    case messageEdited = 7
    case messageDeleted = 8
    case roomCreated = 9
    case memberAdded = 10
    case memberRemoved = 11
    case ownerChanged = 12
    case payloadRedacted = 13
    case userErased = 14
    case viewAttested = 15
    case auditorRead = 16

    /// The name as people write it: `MessageSent`.
    package var name: String {
        let text = String(describing: self)
        return text.prefix(1).uppercased() + text.dropFirst()
    }

    /// The type of that name, in any case.
    package init?(name: String) {
        guard let found = Self.allCases.first(where: { $0.name.lowercased() == name.lowercased() }) else { return nil }
        self = found
    }
}

/// What kind of thing a payload holds; decides what an export may show.
///
/// The raw value is in the log.
package enum PayloadClass: UInt8, Sendable {
    /// There is no payload.
    case empty = 0
    /// What people wrote to each other.
    case content = 1
    /// Names and addresses of people.
    case personal = 2
    /// Holds a secret, a password's hash for one: no export ever prints the bytes.
    case credential = 3
}

/// The part of a record that is never erased: 76 bytes, little-endian.
///
/// | at | bytes | |
/// | --- | --- | --- |
/// | 0 | 1 | format of the record: 1 |
/// | 1 | 1 | type |
/// | 2 | 1 | version of the type's payload |
/// | 3 | 1 | payload class; the top bit is set in the stored form of a redacted record, and not part of the header |
/// | 4 | 8 | time, milliseconds since 1970 in UTC |
/// | 12 | 16 | actor: the account that did it; zeros for the server or its operator |
/// | 28 | 16 | subject: the recipient, the room, the member |
/// | 44 | 16 | stream |
/// | 60 | 8 | revision in the stream, dense from 1 |
/// | 68 | 8 | reference: the offset edited, deleted, read up to, redacted or attested; else 0 |
package struct EventHeader: Equatable, Sendable {
    package static let byteCount = 76
    package static let format: UInt8 = 1

    package var type: EventType
    package var version: UInt8
    package var payloadClass: PayloadClass
    package var milliseconds: UInt64
    package var actor: AccountID
    package var subject: Identifier
    package var stream: StreamID
    package var revision: UInt64
    package var reference: Offset

    package init(
        type: EventType,
        version: UInt8 = 1,
        payloadClass: PayloadClass,
        milliseconds: UInt64 = 0,
        actor: AccountID,
        subject: Identifier,
        stream: StreamID,
        revision: UInt64 = 0,
        reference: Offset = 0
    ) {
        self.type = type
        self.version = version
        self.payloadClass = payloadClass
        self.milliseconds = milliseconds
        self.actor = actor
        self.subject = subject
        self.stream = stream
        self.revision = revision
        self.reference = reference
    }

    /// Whether the stream is a room's, seen from a message, a mark or a change of members.
    package var concernsRoom: Bool { stream == subject }

    /// Reads the header that `bytes` begin with.
    ///
    /// - Throws: ``RecordError`` if it isn't one that this version knows.
    init(_ bytes: Span<UInt8>) throws(RecordError) {
        guard bytes.count >= Self.byteCount else { throw .truncated }
        guard bytes[0] == Self.format else { throw .unknownFormat(bytes[0]) }
        guard let type = EventType(rawValue: bytes[1]) else { throw .unknownType(bytes[1]) }
        guard let payloadClass = PayloadClass(rawValue: bytes[3] & ~Record.redactedBit) else {
            throw .unknownPayloadClass(bytes[3])
        }
        self.type = type
        self.version = bytes[2]
        self.payloadClass = payloadClass
        milliseconds = bytes.littleEndian(at: 4)
        actor = Identifier(bytes, at: 12)
        subject = Identifier(bytes, at: 28)
        stream = Identifier(bytes, at: 44)
        revision = bytes.littleEndian(at: 60)
        reference = bytes.littleEndian(at: 68)
    }

    func append(to bytes: inout [UInt8]) {
        bytes.append(
            littleEndian: UInt32(Self.format) | UInt32(type.rawValue) << 8 | UInt32(version) << 16
                | UInt32(payloadClass.rawValue) << 24
        )
        // In one piece: each append looks anew whether there is room. Ids are big-endian.
        let words: InlineArray<9, UInt64> = [
            milliseconds, actor.high.byteSwapped, actor.low.byteSwapped, subject.high.byteSwapped,
            subject.low.byteSwapped, stream.high.byteSwapped, stream.low.byteSwapped, revision, reference,
        ]
        bytes.append(littleEndian: words)
    }
}
