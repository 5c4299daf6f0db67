import Cryptography
import Foundation
import LMDB

@testable import Broker
@testable import Projections

/// An event to append, revision and time apart, which ``TestLog`` gives.
struct TestEvent {
    var type: EventType
    var actor: AccountID
    var subject: Identifier
    var stream: StreamID
    var reference: Offset = 0
    var payload: EventPayload

    static func registered(_ id: AccountID, _ name: String) -> TestEvent {
        var user = EventPayload.UserRegistered(
            account: AccountName(trusting: Array(name.utf8)),
            username: "\(name)'s \"name\"",
            email: "\(name)@example.org",
            passwordHash: "$2b$04$\(name)"
        )
        user.legacyID = ""
        return TestEvent(type: .userRegistered, actor: id, subject: id, stream: id, payload: .userRegistered(user))
    }

    static func guest(_ id: AccountID, _ name: String) -> TestEvent {
        let payload = EventPayload.guestSeen(account: AccountName(trusting: Array(name.utf8)))
        return TestEvent(type: .guestSeen, actor: id, subject: id, stream: id, payload: payload)
    }

    static func loggedIn(_ id: AccountID) -> TestEvent {
        let payload = EventPayload.userLoggedIn(address: "192.0.2.1", port: 1)
        return TestEvent(type: .userLoggedIn, actor: id, subject: id, stream: id, payload: payload)
    }

    static func sent(_ content: String, from sender: AccountID, to peer: AccountID, id: String = "") -> TestEvent {
        TestEvent(
            type: .messageSent,
            actor: sender,
            subject: peer,
            stream: .conversation(sender, peer),
            payload: .messageSent(content: content, id: id)
        )
    }

    static func sent(_ content: String, from sender: AccountID, inRoom room: RoomID, id: String = "") -> TestEvent {
        let payload = EventPayload.messageSent(content: content, id: id)
        return TestEvent(type: .messageSent, actor: sender, subject: room, stream: room, payload: payload)
    }

    static func read(_ reference: Offset, by reader: AccountID, from peer: AccountID) -> TestEvent {
        TestEvent(
            type: .messagesRead,
            actor: reader,
            subject: peer,
            stream: .conversation(reader, peer),
            reference: reference,
            payload: .empty(.messagesRead)
        )
    }

    static func read(_ reference: Offset, by reader: AccountID, inRoom room: RoomID) -> TestEvent {
        TestEvent(
            type: .messagesRead,
            actor: reader,
            subject: room,
            stream: room,
            reference: reference,
            payload: .empty(.messagesRead)
        )
    }

    static func edited(_ target: Offset, to content: String, by author: AccountID, in stream: StreamID) -> TestEvent {
        TestEvent(
            type: .messageEdited,
            actor: author,
            subject: stream,
            stream: stream,
            reference: target,
            payload: .messageEdited(content: content)
        )
    }

    static func deleted(_ target: Offset, by author: AccountID, in stream: StreamID) -> TestEvent {
        TestEvent(
            type: .messageDeleted,
            actor: author,
            subject: stream,
            stream: stream,
            reference: target,
            payload: .empty(.messageDeleted)
        )
    }

    static func roomCreated(_ room: RoomID, _ name: String, by owner: AccountID) -> TestEvent {
        TestEvent(type: .roomCreated, actor: owner, subject: room, stream: room, payload: .roomCreated(name: name))
    }

    static func member(_ type: EventType, _ account: AccountID, of room: RoomID, by actor: AccountID) -> TestEvent {
        TestEvent(type: type, actor: actor, subject: account, stream: room, payload: .empty(type))
    }

    /// The redaction of `event`, which is at `offset`.
    static func redacted(_ offset: Offset, _ event: TestEvent) -> TestEvent {
        TestEvent(
            type: .payloadRedacted,
            actor: .none,
            subject: event.subject,
            stream: event.stream,
            reference: offset,
            payload: .payloadRedacted(reason: "why not")
        )
    }

    static func attested(_ views: [EventPayload.AttestedView], at offset: Offset) -> TestEvent {
        TestEvent(
            type: .viewAttested,
            actor: .none,
            subject: .system,
            stream: .system,
            reference: offset,
            payload: .viewAttested(views)
        )
    }

    static func erased(_ id: AccountID) -> TestEvent {
        TestEvent(type: .userErased, actor: .none, subject: id, stream: id, payload: .userErased(reason: "asked"))
    }
}

/// A log in a temporary data folder, removed at the end.
final class TestLog {
    let data: String
    private(set) var log: EventLog
    private(set) var events: [TestEvent] = []
    private var revisions: [StreamID: UInt64] = [:]
    private var salts = SeededRandom(seed: 7)

    /// The time of the event at `offset`: a hundred events a second.
    static func milliseconds(of offset: Offset) -> UInt64 { 1_700_000_000_000 + 10 * offset }

    init() throws {
        data = FileManager.default.temporaryDirectory.appendingPathComponent("quipu-\(UUID().uuidString)").path
        log = try EventLog(directory: data + "/log", mapBytes: 1 << 30)
    }

    /// Runs `body` with the log's directory while nobody has it open, and opens the log again.
    private func whileClosed(_ body: (String) throws -> Void) throws {
        // Only one log may be open on a directory; this one keeps the property filled meanwhile.
        log = try EventLog(directory: data + "/placeholder", mapBytes: 1 << 20)
        try body(data + "/log")
        log = try EventLog(directory: data + "/log", mapBytes: 1 << 30)
    }

    private var lastBatch = EventBatch(first: 1)

    deinit { try? FileManager.default.removeItem(atPath: data) }

    /// A folder that the test may fill.
    func folder(_ name: String) -> String { data + "/" + name }

    /// Appends `added` as one batch.
    ///
    /// - Returns: The offset of the last.
    @discardableResult
    func append(_ added: [TestEvent]) throws -> Offset {
        try append(added, payloads: added.map { try $0.payload.encode() })
    }

    /// Appends events with payloads of any bytes.
    ///
    /// What a redaction refers to is redacted with it.
    @discardableResult
    func append(_ added: [TestEvent], payloads: [[UInt8]]) throws -> Offset {
        var batch = EventBatch(first: log.head + 1)
        for (event, payload) in zip(added, payloads) {
            revisions[event.stream, default: 0] += 1
            let header = EventHeader(
                type: event.type,
                version: EventPayload.currentVersion(of: event.type),
                payloadClass: payload.isEmpty ? .empty : .content,
                milliseconds: Self.milliseconds(of: batch.next),
                actor: event.actor,
                subject: event.subject,
                stream: event.stream,
                revision: revisions[event.stream, default: 0],
                reference: event.reference
            )
            batch.append(header: header, salt: (salts.next(), salts.next()), payload: payload.span)
            if event.type == .payloadRedacted { batch.redact(event.reference) }
        }
        try log.append(batch)
        lastBatch = batch
        events += added
        return log.head
    }

    /// Tells the workers that the log has grown by the last batch.
    func announce(to views: Views) {
        let batch = CommittedBatch(events: lastBatch, receipts: [])
        for subscriber in views.subscribers { subscriber.committed(batch) }
    }

    /// Opens the views, as the server does.
    func openViews(
        bootID: String = "boot-1",
        options: ProjectionWorker.Options = .init(),
        mapBytes: Int = 1 << 28
    ) throws -> Views {
        try Views(folder: viewFolder(bootID: bootID, mapBytes: mapBytes), log: log, options: options)
    }

    func viewFolder(bootID: String = "boot-1", mapBytes: Int = 1 << 28) -> ViewFolder {
        ViewFolder(data: data, mapBytes: mapBytes, bootID: bootID)
    }
}

extension Views {
    /// Waits until all views that haven't failed have projected `offset`.
    func settle(at offset: Offset) async throws {
        for view in all where view.failure == nil {
            try await view.waitUntilProjected(offset, deadline: .now + .seconds(60))
        }
    }

    /// The digests of all views, by name.
    func digests() throws -> [String: String] {
        var digests: [String: String] = [:]
        for view in all {
            guard let store = view.store else { continue }
            let digest = try ViewDigest(store)
            digests[view.name] = "\(digest.digest)\(digest.damage)"
        }
        return digests
    }
}

// Changing what can't be changed: with the log closed, in its file.
extension TestLog {
    /// Flips a bit of the event at `offset`, as a bad disk would.
    func damage(at offset: Offset) throws {
        try whileClosed { directory in
            try Self.rewrite(directory) { at, bytes in
                guard at == offset else { return nil }
                var damaged = bytes
                damaged[80] ^= 1
                return damaged
            }
        }
    }

    /// The same log, with the payloads of some events erased.
    func redactedCopy(_ isRedacted: (Offset) -> Bool) throws -> EventLog {
        let copy = folder("redacted-log")
        try whileClosed { directory in
            try FileManager.default.copyItem(atPath: directory, toPath: copy)
        }
        try Self.rewrite(copy) { offset, bytes in
            guard isRedacted(offset) else { return nil }
            return try Record(bytes.span, at: offset).redacted(with: SHA256())
        }
        return try EventLog(directory: copy, mapBytes: 1 << 30)
    }

    private static func rewrite(_ directory: String, _ change: (Offset, [UInt8]) throws -> [UInt8]?) throws {
        let environment = try Environment(path: directory, options: .init(mapBytes: 1 << 30, tables: 8))
        try environment.write { transaction in
            let table = try transaction.openTable("events", hasIntegerKeys: true)
            var changes: [(Offset, [UInt8])] = []
            try transaction.scan(table, from: 1) { offset, bytes in
                if let new = try change(offset, [UInt8](copying: bytes)) { changes.append((offset, new)) }
                return true
            }
            for (offset, bytes) in changes { try transaction.put(bytes.span, for: offset, in: table) }
        }
    }
}
