import Broker
import Foundation
import Projections

/// A small log that came about as logs do: people, a room, some hundred messages, edits, marks and an attestation.
enum SampleLog {
    private static let rounds = 100
    private static let patience = Duration.seconds(60)

    /// Makes one in `directory`, which must not be there.
    ///
    /// - Parameter scratch: A folder for the views, which the writer needs to decide.
    static func make(in directory: String, scratch: String) async throws -> EventLog {
        let log = try EventLog(directory: directory, mapBytes: 1 << 28)
        let views = try Views(folder: ViewFolder(data: scratch, mapBytes: 1 << 28), log: log)
        let broker = Broker(log: log)
        try broker.start(state: views, projected: 0, subscribers: views.subscribers)
        try views.start()
        defer {
            broker.stop()
            views.stop()
        }
        var people: [AccountID] = []
        for name in ["ann", "bob", "eve"] {
            guard case .account(let id, _) = await broker.execute(.admitGuest(try AccountName(name))) else {
                throw CommandFailure("the sample's accounts can't be made")
            }
            people.append(id)
        }
        let room = RoomID.randomUUID()
        try await store(.createRoom(room, creator: people[0], name: "plans", members: Array(people[1...])), by: broker)
        for round in 1...rounds {
            let (me, peer) = (people[round % 3], people[(round + 1) % 3])
            // Those of one round are committed together.
            try await withThrowingTaskGroup(of: Void.self) { group in
                for conversation in [Command.Conversation(me: me, peer: peer), .init(me: peer, room: room)] {
                    let text = Array("message \(round) of the sample".utf8)
                    let command = Command.send(
                        .init(conversation: conversation, payload: MessagePayload.encode(content: text))
                    )
                    group.addTask { try await store(command, by: broker) }
                }
                try await group.waitForAll()
            }
            if round.isMultiple(of: 10) {
                try await store(.markRead(.init(me: peer, peer: me), upTo: log.head), by: broker)
            }
        }
        for view in views.all { try await view.waitUntilProjected(log.head, deadline: .now + patience) }
        guard let conversations = Views.projection(named: "conversations") else {
            preconditionFailure("there is such a view")
        }
        if let attestation = try views.attestation(of: conversations) {
            try await store(attestation, by: broker)
        }
        for round in 1...rounds / 2 {
            let text = Array("last words, \(round)".utf8)
            let conversation = Command.Conversation(me: people[0], room: room)
            let payload = MessagePayload.encode(content: text)
            try await store(.send(.init(conversation: conversation, payload: payload)), by: broker)
        }
        return log
    }

    private static func store(_ command: Command, by broker: Broker) async throws {
        switch await broker.execute(command) {
        case .stored, .unchanged: return
        case let other: throw CommandFailure("the sample's log can't be made: \(other)")
        }
    }
}
