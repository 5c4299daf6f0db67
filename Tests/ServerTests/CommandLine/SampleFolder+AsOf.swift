import Broker
import Cryptography
import Foundation
import LMDB
import NIOCore
import Projections
import Testing

@testable import Server

// What a sample's log says about another time, and what the server would have answered then.

extension SampleEvent {
    static func said(_ text: String, by sender: AccountID, to peer: AccountID) -> SampleEvent {
        said(text, sender, peer, .conversation(sender, peer))
    }

    static func said(_ text: String, by sender: AccountID, room: RoomID) -> SampleEvent {
        said(text, sender, room, room)
    }

    static func edited(_ target: Offset, _ text: String, by author: AccountID, to peer: AccountID) -> SampleEvent {
        edited(target, text, author, peer, .conversation(author, peer))
    }

    static func edited(_ target: Offset, _ text: String, by author: AccountID, room: RoomID) -> SampleEvent {
        edited(target, text, author, room, room)
    }

    static func owned(_ room: RoomID, by owner: AccountID) -> SampleEvent {
        SampleEvent(type: .ownerChanged, actor: owner, subject: owner, stream: room)
    }

    private static func said(
        _ text: String,
        _ sender: AccountID,
        _ subject: Identifier,
        _ stream: StreamID
    ) -> SampleEvent {
        let payload = EventPayload.messageSent(content: text, id: "")
        return SampleEvent(type: .messageSent, actor: sender, subject: subject, stream: stream, payload: payload)
    }

    private static func edited(
        _ target: Offset,
        _ text: String,
        _ author: AccountID,
        _ subject: Identifier,
        _ stream: StreamID
    ) -> SampleEvent {
        var event = SampleEvent(type: .messageEdited, actor: author, subject: subject, stream: stream)
        event.reference = target
        event.payload = .messageEdited(content: text)
        return event
    }
}

extension SampleFolder {
    /// What `quipu audit as-of … history` prints: lines of a table, or of JSON.
    func history(_ question: HistoryAudit.Question, json: Bool = false) throws -> [String] {
        let log = try log()
        let report = try HistoryAudit(log: log).answer(question)
        return try printed {
            var reading = HistoryReading(report, from: log, ProgressBar(unit: "messages", isShown: false))
            if json {
                try HistoryJSON().write(&reading, to: &$0)
            } else {
                try HistoryTable().write(&reading, to: &$0)
            }
        }.split(separator: "\n").map(String.init)
    }

    /// The object of its JSON.
    func historyObject(_ question: HistoryAudit.Question) throws -> NSDictionary {
        let lines = try history(question, json: true)
        #expect(lines.count == 1)
        return try #require(try JSONSerialization.jsonObject(with: Data(lines[0].utf8)) as? NSDictionary)
    }

    /// What `quipu audit as-of … members` finds.
    func members(of room: String, asOf end: Offset = head) throws -> MembersReport {
        try MembersAudit(log: log()).answer(room, asOf: end)
    }

    /// A view as it was after the event at `end`.
    func past(_ projection: any Projection.Type, asOf end: Offset) throws -> View {
        let directory = folder.path + "/\(projection.name)-at-\(end)"
        try Rebuild.build(projection, from: log(), upTo: end, into: directory)
        return try View(projection, readOnlyDirectory: directory)
    }

    /// Erases what the events at `offsets` say, as the log does it.
    func redact(_ offsets: [Offset]) throws {
        var records: [[UInt8]] = []
        do {
            try log().read(at: offsets) { record in
                records.append(record.redacted(with: SHA256()))
                return true
            }
        }
        let environment = try Environment(path: folder.log, options: .init(mapBytes: 1 << 26, tables: 8))
        try environment.write { transaction in
            let events = try transaction.openTable("events", hasIntegerKeys: true)
            for (offset, record) in zip(offsets, records) { try transaction.put(record.span, for: offset, in: events) }
        }
    }
}

/// The views of a sample as they were after an event, and what the server answers from them.
struct PastViews {
    private let conversations: ConversationsView
    private let rooms: RoomsView
    private let names: [AccountID: String]

    init(_ sample: SampleFolder, asOf end: Offset, names: [AccountID: String]) throws {
        conversations = ConversationsView(try sample.past(ConversationsProjection.self, asOf: end))
        rooms = RoomsView(try sample.past(RoomsProjection.self, asOf: end))
        self.names = names
    }

    /// When `account` came into `room`; nil if it isn't in it.
    func joined(_ account: AccountID, _ room: RoomID) throws -> Offset? { try rooms.joined(account, room).value }

    /// The answer to type 2.
    func answer(_ reader: AccountID, _ subject: Identifier, isRoom: Bool, limit: Int?) throws -> NSDictionary {
        var frame = ClientFrame()
        frame.type = 2
        frame.limit = limit
        let names = names
        let directory = AccountDirectory { names[$0].map { AccountName(trusting: Array($0.utf8)) } }
        let conversation =
            isRoom
            ? Command.Conversation(me: reader, room: subject) : Command.Conversation(me: reader, peer: subject)
        let request = MessagesAnswer.Request(
            frame: frame,
            conversation: conversation,
            myName: directory.escapedName(of: reader),
            peerName: isRoom ? Array(subject.uuidText.utf8) : directory.escapedName(of: subject),
            unreadOnly: false,
            joined: isRoom ? try joined(reader, subject) ?? 0 : 0
        )
        var answer = MessagesAnswer(request, view: conversations, directory: directory)
        var bytes = ByteBuffer()
        while try !answer.writeSlice(to: &bytes) {}
        let json = Self.payload(&bytes)
        return try #require(try JSONSerialization.jsonObject(with: Data(json)) as? NSDictionary)
    }

    /// What the only frame in `bytes` holds.
    private static func payload(_ bytes: inout ByteBuffer) -> [UInt8] {
        let first = bytes.readInteger(as: UInt8.self)
        #expect(first == 0x81)
        var length = bytes.readInteger(as: UInt8.self).map(Int.init)
        if length == 126 { length = bytes.readInteger(as: UInt16.self).map(Int.init) }
        if length == 127 { length = bytes.readInteger(as: UInt64.self).map(Int.init) }
        #expect(bytes.readableBytes == length)
        return Array(bytes.readableBytesView)
    }
}
