import Foundation
import Projections
import Testing

@testable import Broker
@testable import Server

/// An event that goes into a sample's log as it is, whether a broker would have let it through or not.
struct SampleEvent: Sendable {
    var type: EventType
    var actor: AccountID
    var subject: Identifier
    var stream: StreamID
    var reference: Offset = 0
    var payload = EventPayload.empty(.messagesRead)

    static func sent(_ sender: AccountID, to peer: AccountID) -> SampleEvent {
        sent(sender, peer, .conversation(sender, peer))
    }

    static func sent(_ sender: AccountID, room: RoomID) -> SampleEvent { sent(sender, room, room) }

    static func read(_ upTo: Offset, by reader: AccountID, from peer: AccountID) -> SampleEvent {
        let stream = StreamID.conversation(reader, peer)
        return SampleEvent(type: .messagesRead, actor: reader, subject: peer, stream: stream, reference: upTo)
    }

    static func read(_ upTo: Offset, by reader: AccountID, room: RoomID) -> SampleEvent {
        SampleEvent(type: .messagesRead, actor: reader, subject: room, stream: room, reference: upTo)
    }

    static func deleted(
        _ target: Offset,
        by author: AccountID,
        _ subject: Identifier,
        _ stream: StreamID
    )
        -> SampleEvent
    { SampleEvent(type: .messageDeleted, actor: author, subject: subject, stream: stream, reference: target) }

    static func deleted(_ target: Offset, by author: AccountID, to peer: AccountID) -> SampleEvent {
        deleted(target, by: author, peer, .conversation(author, peer))
    }

    static func deleted(_ target: Offset, by author: AccountID, room: RoomID) -> SampleEvent {
        deleted(target, by: author, room, room)
    }

    static func made(_ room: RoomID, _ name: String, by owner: AccountID) -> SampleEvent {
        let payload = EventPayload.roomCreated(name: name)
        return SampleEvent(type: .roomCreated, actor: owner, subject: room, stream: room, payload: payload)
    }

    static func joined(_ account: AccountID, _ room: RoomID) -> SampleEvent {
        SampleEvent(type: .memberAdded, actor: account, subject: account, stream: room)
    }

    static func left(_ account: AccountID, _ room: RoomID) -> SampleEvent {
        SampleEvent(type: .memberRemoved, actor: account, subject: account, stream: room)
    }

    private static func sent(_ sender: AccountID, _ subject: Identifier, _ stream: StreamID) -> SampleEvent {
        let payload = EventPayload.messageSent(content: "secret words", id: "")
        return SampleEvent(type: .messageSent, actor: sender, subject: subject, stream: stream, payload: payload)
    }

    fileprivate func header(revision: UInt64, milliseconds: UInt64) -> EventHeader {
        let isEmpty = payload == .empty(.messagesRead)
        return EventHeader(
            type: type,
            version: EventPayload.currentVersion(of: type),
            payloadClass: isEmpty ? .empty : .content,
            milliseconds: milliseconds,
            actor: actor,
            subject: subject,
            stream: stream,
            revision: revision,
            reference: reference
        )
    }
}

extension SampleFolder {
    /// The account of that name, in whichever sample.
    func account(_ name: String) throws -> AccountID {
        try #require(try log().accountID(named: AccountName(name)))
    }

    /// Appends `events`, the first of them at the offset after the head, one a second; the views don't hear of it.
    func append(_ events: [SampleEvent]) throws {
        let log = try EventLog(directory: folder.log, mapBytes: 1 << 26)
        var revisions: [StreamID: UInt64] = [:]
        try log.read(after: 0) { record in
            revisions[record.header.stream] = record.header.revision
            return true
        }
        var batch = EventBatch(first: log.head + 1)
        for (index, event) in events.enumerated() {
            revisions[event.stream, default: 0] += 1
            let header = event.header(
                revision: revisions[event.stream, default: 0],
                milliseconds: log.lastMilliseconds + 1000 * UInt64(index + 1)
            )
            let payload = header.payloadClass == .empty ? [] : try event.payload.encode()
            batch.append(header: header, salt: (1, batch.next), payload: payload.span)
        }
        try log.append(batch)
    }

    /// Lets the views take in all events.
    func project() async throws {
        try await project(EventLog(directory: folder.log, mapBytes: 1 << 26))
        // A worker's thread lets go of the log a moment after it has stopped.
        _ = try await waiting(for: "the log to be closed") { try? log() }
    }

    private func project(_ log: EventLog) async throws {
        let views = try Views(folder: ViewFolder(data: folder.path, mapBytes: 1 << 26), log: log)
        try views.start()
        defer { views.stop() }
        for view in views.all { try await view.waitUntilProjected(log.head, deadline: .now + .seconds(20)) }
    }
}
