import Cryptography
import LMDB
import Testing

@testable import Broker

/// What events say of each other, in logs whose every hash is right.
@Suite struct LogRulesTests {
    /// An event of a log, in one stream.
    struct Event: Sendable {
        var type: EventType
        var actor: UInt8 = 1
        var subject: UInt8 = 2
        var stream: UInt8 = 9
        var reference: Offset = 0
        var payloadClass = PayloadClass.empty
        var payload: [UInt8] = []

        static func message(by actor: UInt8 = 1, stream: UInt8 = 9) -> Event {
            let payload = MessagePayload.encode(content: Array("hello".utf8), id: [0x61])
            return Event(
                type: .messageSent,
                actor: actor,
                stream: stream,
                payloadClass: .content,
                payload: payload
            )
        }
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var events: [Event]
        var found: [String]

        init(_ name: String, _ events: Event..., finds found: String...) {
            testDescription = name
            self.events = events
            self.found = found
        }
    }

    static let references = [
        Case("an edit", .message(), Event(type: .messageEdited, reference: 1)),
        Case("a deletion", .message(), Event(type: .messageDeleted, reference: 1)),
        Case("a mark", .message(), Event(type: .messagesRead, actor: 2, reference: 1)),
        Case("an attestation", .message(), Event(type: .viewAttested, reference: 1)),
        Case("an edit of itself", Event(type: .messageEdited, reference: 1), finds: "reference 1"),
        Case("an edit of nothing", .message(), Event(type: .messageEdited), finds: "reference 2"),
        Case(
            "an edit of what comes later",
            .message(),
            Event(type: .messageEdited, reference: 3),
            .message(),
            finds: "reference 2"
        ),
        Case("an edit by another", .message(by: 3), Event(type: .messageEdited, reference: 1), finds: "reference 2"),
        Case(
            "an edit in another stream",
            .message(stream: 8),
            Event(type: .messageEdited, reference: 1),
            finds: "reference 2"
        ),
        Case(
            "a deletion of a deletion",
            .message(),
            Event(type: .messageDeleted, reference: 1),
            Event(type: .messageDeleted, reference: 2),
            finds: "reference 3"
        ),
        Case("a mark up to itself", Event(type: .messagesRead, reference: 1), finds: "reference 1"),
        Case("a mark of nothing", .message(), Event(type: .messagesRead), finds: "reference 2"),
        Case("an attestation of what comes", Event(type: .viewAttested, reference: 2), finds: "reference 1"),
        Case("a message that refers", .message(), Event(type: .memberAdded, reference: 1), finds: "reference 2"),
        Case(
            "a redaction of what is still there",
            .message(),
            Event(type: .payloadRedacted, reference: 1),
            finds: "reference 2"
        ),
    ]

    static let payloads = [
        Case(
            "a text that is no UTF-8",
            Event(type: .messageSent, payloadClass: .content, payload: [10, 1, 0xff]),
            finds: "unreadable 1"
        ),
        Case(
            "a text longer than it is",
            Event(type: .messageSent, payloadClass: .content, payload: [10, 2, 0x61]),
            finds: "unreadable 1"
        ),
        Case(
            "fields in another order",
            Event(type: .messageSent, payloadClass: .content, payload: [18, 1, 0x61, 10, 1, 0x62])
        ),
        Case(
            "a field that isn't known",
            Event(type: .messageSent, payloadClass: .content, payload: [10, 1, 0x61, 0x78, 1])
        ),
        Case("a payload where there is none", Event(type: .memberAdded, payload: [1]), finds: "unreadable 1"),
        Case(
            "bytes that are no registration",
            Event(type: .userRegistered, payloadClass: .credential, payload: [0xff]),
            finds: "unreadable 1"
        ),
    ]

    @Test(arguments: references + payloads)
    func `what events refer to and hold is looked at`(rule: Case) throws {
        try withTemporaryFolder { path in
            try Self.write(rule.events, into: path)
            let verification = try EventLog(directory: path, mapBytes: 16 << 20, isReadOnly: true).verifyTree()
            #expect(verification.faults.map { "\($0.code) \($0.offsets.lowerBound)" } == rule.found)
            for fault in verification.faults {
                #expect(fault.description.contains("event \(fault.offsets.lowerBound)"))
            }
        }
    }

    private static func write(_ events: [Event], into path: String, redacting: Offset? = nil) throws {
        let log = try EventLog(directory: path, mapBytes: 16 << 20)
        var batch = EventBatch(first: 1)
        var revisions: [UInt8: UInt64] = [:]
        for event in events {
            revisions[event.stream, default: 0] += 1
            let header = EventHeader(
                type: event.type,
                payloadClass: event.payloadClass,
                milliseconds: 1,
                actor: Sample.id(event.actor),
                subject: Sample.id(event.subject),
                stream: Sample.id(event.stream),
                revision: revisions[event.stream, default: 0],
                reference: event.reference
            )
            batch.append(header: header, salt: (1, batch.next), payload: event.payload.span)
        }
        if let redacting { batch.redact(redacting) }
        try log.append(batch)
    }

    @Test func `a redaction is right with its event, and found without`() throws {
        for (isSaid, found) in [(true, []), (false, ["redaction"])] {
            try withTemporaryFolder { path in
                let other = isSaid ? Event(type: .payloadRedacted, reference: 1) : .message()
                try Self.write([.message(), other], into: path, redacting: 1)
                let log = try EventLog(directory: path, mapBytes: 16 << 20, isReadOnly: true)
                #expect(try log.verifyTree().faults.map(\.code) == found)
            }
        }
    }

    @Test func `of what only a newer version knows it is said that it may be right`() throws {
        for (version, isOfNewer) in [(9, true), (1, false)] as [(UInt8, Bool)] {
            try withTemporaryFolder { path in
                try Self.write([.message(), .message()], into: path)
                try RawTree.change(path) { transaction, tables in
                    try transaction.alter(2, in: tables.events) { $0[1] = 200 }
                    if !isOfNewer {
                        try transaction.alter(1, in: tables.events) {
                            $0[2] = version + 1; $0[80] ^= 1
                        }
                    }
                }
                let log = try EventLog(directory: path, mapBytes: 16 << 20, isReadOnly: true)
                let verification = try log.verifyTree()
                #expect(!verification.isIntact)
                #expect(verification.isOfNewerVersion == isOfNewer)
            }
        }
    }

    @Test(arguments: ["nothing", "gone", "another's", "unclaimed"])
    func `the table of names is held against the events that claim them`(change: String) throws {
        try withTemporaryFolder { path in
            do {
                let log = try EventLog(directory: path, mapBytes: 16 << 20)
                var batch = EventBatch(first: 1)
                for (number, name) in [(1, "ann"), (2, "bob")] as [(UInt8, String)] {
                    let id = Sample.id(number)
                    let header = EventHeader(
                        type: .guestSeen,
                        payloadClass: .personal,
                        milliseconds: 1,
                        actor: id,
                        subject: id,
                        stream: id,
                        revision: 1
                    )
                    let payload = try EventPayload.guestSeen(account: AccountName(name)).encode()
                    batch.append(header: header, salt: (1, 2), payload: payload.span)
                    batch.claim(try AccountName(name), for: id)
                }
                try log.append(batch)
            }
            let (ann, cid) = (Array("ann".utf8), Array("cid".utf8))
            try RawLog.change(path) { transaction, tables in
                let bob = try transaction.bytes(of: Array("bob".utf8), in: tables.names) ?? []
                switch change {
                case "gone": try transaction.remove(ann.span, from: tables.names)
                case "another's": try transaction.put(bob.span, for: ann.span, in: tables.names)
                case "unclaimed": try transaction.put(bob.span, for: cid.span, in: tables.names)
                default: break
                }
            }
            let found: [LogFault] =
                switch change {
                case "gone", "another's": [.name(try AccountName("ann"), claimedBy: 1)]
                case "unclaimed": [.name(try AccountName("cid"), claimedBy: nil)]
                default: []
                }
            let log = try EventLog(directory: path, mapBytes: 16 << 20, isReadOnly: true)
            #expect(try log.verifyTree().faults == found)
        }
    }
}
