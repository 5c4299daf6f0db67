import Broker
import Foundation
import Projections

/// A log as a server might have after years, in a data folder: what queries and replays are measured on.
///
/// A quarter of the messages are from the first peer to the reader, a quarter from the other peers, and the rest are
/// others': half of it direct, half in rooms. The reader has read nothing.
struct BenchLog: Sendable {
    var messages: Int
    /// Who write to the reader.
    var peers = 20
    var bytes = 150

    static let reader = "bench-reader"
    static func peer(_ index: Int) -> String { "bench-peer-\(index)" }

    private static let others = 1000
    private static let rooms = 100
    private static let roomMembers = 10

    /// Whom the messages are from and to, by index.
    private struct People: Sendable {
        var reader: AccountID
        var peers: [AccountID]
        var others: [AccountID]
        var rooms: [RoomID]
    }

    /// The messages that `peer` has written to the reader.
    func count(ofPeer peer: Int) -> Int {
        let ofFirst = (messages + 3) / 4
        let ofOthers = (messages + 2) / 4
        if peers == 1 { return ofFirst + ofOthers }
        if peer == 0 { return ofFirst }
        return (ofOthers - (peer - 1) + peers - 2) / (peers - 1)
    }

    /// Writes it into `folder`, which is empty, and builds the views.
    func make(in folder: DataFolder, bar: ProgressBar) async throws {
        try await write(to: folder, bar: bar)
        try await project(folder, bar: bar)
    }

    /// Writes it into `folder`, which is empty.
    func write(to folder: DataFolder, bar: ProgressBar) async throws {
        let people = try await people(in: folder)
        let log = try await EventLog.opening(directory: folder.log)
        var filling = try LogFilling(log)
        var counts = [Int](repeating: 0, count: peers)
        for index in 0..<messages {
            if index % 8192 == 0 {
                try Task.checkCancellation()
                bar.update(label: "writing a log", done: UInt64(index), total: UInt64(messages))
            }
            let turn = index / 4
            var mark = BenchMark(sender: peers, number: index)
            let conversation: Command.Conversation
            switch index % 4 {
            case 0, 1:
                let peer = index % 4 == 0 || peers == 1 ? 0 : 1 + turn % (peers - 1)
                mark = BenchMark(sender: peer, number: counts[peer])
                counts[peer] += 1
                conversation = .init(me: people.peers[peer], peer: people.reader)
            case 2:
                let author = turn % Self.others
                conversation = .init(me: people.others[author], peer: people.others[(author + 1) % Self.others])
            default:
                // The members of a room are ten neighbours, who take turns.
                let room = turn % Self.rooms
                let author = people.others[room * Self.roomMembers + turn / Self.rooms % Self.roomMembers]
                conversation = .init(me: author, room: people.rooms[room])
            }
            try filling.append(conversation, payload: MessagePayload.encode(content: mark.content(bytes: bytes)))
        }
        try filling.flush()
    }

    /// Builds the views, as `quipu replay` does.
    func project(_ folder: DataFolder, bar: ProgressBar) async throws {
        let log = try await EventLog.opening(directory: folder.log, isReadOnly: true)
        try? FileManager.default.removeItem(atPath: folder.views)
        let views = ViewFolder(data: folder.path)
        _ = try await ViewBuilding.each(Views.projections, from: log) {
            bar.update(label: "views", done: $0.events, total: $0.of)
        } _: { projection, reader, report in
            let directory = views.directory(of: projection)
            return try Rebuild.build(projection, from: log, through: reader, into: directory, report: report)
        }
    }

    /// Makes accounts and rooms as a server does.
    private func people(in folder: DataFolder) async throws -> People {
        let log = try EventLog(directory: folder.log)
        let views = try Views(folder: ViewFolder(data: folder.path), log: log)
        let broker = Broker(log: log)
        try broker.start(state: views, projected: 0, subscribers: views.subscribers)
        try views.start()
        defer {
            broker.stop()
            views.stop()
        }
        return try await admit(broker)
    }

    private func admit(_ broker: Broker) async throws -> People {
        func account(_ name: String) async throws -> AccountID {
            guard case .account(let id, _) = await broker.execute(.admitGuest(try AccountName(name))) else {
                throw BenchFailure("\(name) wasn't let in")
            }
            return id
        }
        let reader = try await account(Self.reader)
        var peers: [AccountID] = []
        for index in 0..<self.peers { peers.append(try await account(Self.peer(index))) }
        let others = try await withThrowingTaskGroup(of: (Int, AccountID).self) { group in
            for index in 0..<Self.others {
                group.addTask {
                    guard
                        case .account(let id, _) = await broker.execute(
                            .admitGuest(try AccountName("bench-other-\(index)"))
                        )
                    else { throw BenchFailure("an account wasn't let in") }
                    return (index, id)
                }
            }
            var found = [AccountID?](repeating: nil, count: Self.others)
            for try await (index, id) in group { found[index] = id }
            return found.compactMap(\.self)
        }
        var rooms: [RoomID] = []
        for index in 0..<Self.rooms {
            let members = others[index * Self.roomMembers..<(index + 1) * Self.roomMembers]
            let room = RoomID.randomUUID()
            let making = Command.createRoom(
                room,
                creator: members[members.startIndex],
                name: "bench",
                members: Array(members.dropFirst())
            )
            guard case .stored = await broker.execute(making) else { throw BenchFailure("a room wasn't made") }
            rooms.append(room)
        }
        return People(reader: reader, peers: peers, others: others, rooms: rooms)
    }
}
