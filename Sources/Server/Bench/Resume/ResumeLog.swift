import Broker
import Foundation
import Projections

/// Writes the log that clients come back to: each has a conversation of its own, in which one author writes to it, and
/// between these messages stand many more of a room that only one reader is in.
struct ResumeLog: Sendable {
    /// A position in the log, and how many messages of each client and of the room stand before it.
    struct Position: Sendable {
        var offset: Offset
        var each: Int
        var ofRoom: Int
    }

    let clients: [AccountID]
    private let author: AccountID
    private let room: RoomID
    private let broker: Broker
    private let views: Views
    private let bytes: Int
    private(set) var position: Position

    static let author = "bench-author"
    static let reader = "bench-reader"
    static func client(_ index: Int) -> String { "bench-client-\(index)" }

    /// Messages that are submitted before the first is waited for: below the queue's length, enough for large commits.
    private static let part = 4096

    /// Lets everybody in, on `server`.
    init(clients count: Int, bytes: Int, on server: EmbeddedServer) async throws {
        broker = server.services.broker
        views = server.services.views
        self.bytes = bytes
        author = try await Self.admit(Self.author, broker)
        let reader = try await Self.admit(Self.reader, broker)
        let broker = broker
        clients = try await withThrowingTaskGroup(of: (Int, AccountID).self) { group in
            for index in 0..<count { group.addTask { (index, try await Self.admit(Self.client(index), broker)) } }
            var found = [AccountID?](repeating: nil, count: count)
            for try await (index, id) in group { found[index] = id }
            return found.compactMap { $0 }
        }
        room = RoomID(high: 0x6265_6E63_6821_4000, low: 0x8000_0000_0000_0000)
        let making = Command.createRoom(room, creator: reader, name: "bench", members: [author])
        guard case .stored = await broker.execute(making) else { throw BenchFailure("the room wasn't made") }
        position = Position(offset: broker.log.head, each: 0, ofRoom: 0)
    }

    /// Writes `each` more messages to every client, in turn, with `others` of the room spread between them, and waits
    /// for the views.
    mutating func write(each: Int, others: Int, bar: ProgressBar) async throws {
        let own = each * clients.count
        let total = own + others
        var written = (own: 0, others: 0)
        var waiting = 0
        for index in 0..<total {
            let message: Command.Message
            // The own ones stand as evenly among all as whole numbers allow.
            if written.own * total < (index + 1) * own, written.own < own {
                let client = written.own % clients.count
                let mark = BenchMark(sender: client, number: position.each + written.own / clients.count)
                message = self.message(.init(me: author, peer: clients[client]), mark)
                written.own += 1
            } else {
                let mark = BenchMark(sender: clients.count, number: position.ofRoom + written.others)
                message = self.message(.init(me: author, room: room), mark)
                written.others += 1
            }
            waiting += 1
            if waiting < Self.part, index + 1 < total {
                guard broker.submit(.send(message), origin: .init(sink: -1, ticket: 0)) else { throw Self.notStored }
            } else {
                guard case .stored = await broker.execute(.send(message)) else { throw Self.notStored }
                waiting = 0
                bar.update(label: "writing", done: UInt64(index), total: UInt64(total))
                try Task.checkCancellation()
            }
        }
        position = Position(
            offset: broker.log.head,
            each: position.each + each,
            ofRoom: position.ofRoom + others
        )
        for view in views.all {
            while view.projected < position.offset {
                bar.update(label: "views", done: view.projected, total: position.offset)
                do {
                    try await view.waitUntilProjected(position.offset, deadline: .now + .milliseconds(200))
                } catch let error as ViewUnavailable {
                    guard case .late = error.reason else { throw error }
                }
            }
        }
        let stored = try Self.count(broker.log)
        guard stored == position.each * clients.count + position.ofRoom else {
            throw BenchFailure("the log has \(stored) of \(position.each * clients.count + position.ofRoom) messages")
        }
    }

    private static let notStored = BenchFailure("a message wasn't stored")

    private func message(_ conversation: Command.Conversation, _ mark: BenchMark) -> Command.Message {
        .init(conversation: conversation, payload: MessagePayload.encode(content: mark.content(bytes: bytes)))
    }

    private static func admit(_ name: String, _ broker: Broker) async throws -> AccountID {
        guard case .account(let id, _) = await broker.execute(.admitGuest(try AccountName(name))) else {
            throw BenchFailure("\(name) wasn't let in")
        }
        return id
    }

    /// The messages in `log`.
    private static func count(_ log: EventLog) throws -> Int {
        var count = 0
        try log.forEach(in: 1...log.head) { record in
            if record.header.type == .messageSent { count += 1 }
            return true
        }
        return count
    }
}
