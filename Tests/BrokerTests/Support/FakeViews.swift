import LMDB
import Synchronization

@testable import Broker

/// What the views would answer, kept in dictionaries, as far behind the log as a test wants it.
///
/// There are three, as in the product: conversations, rooms and accounts, each with a checkpoint of its own.
final class FakeViews: DecisionState {
    /// The view behind an answer is away.
    struct Away: Error {}

    enum Name: CaseIterable { case conversations, rooms, accounts }

    private struct Event {
        var header: EventHeader
        /// The client's own id of a message; empty for none.
        var messageID: [UInt8] = []
        var isRedacted = false
    }

    private struct Conversations {
        var projected: Offset = 0
        var streams: [StreamID: StreamState] = [:]
        var marks: [Command.Conversation: Offset] = [:]
        var messages: [Decider.MessageKey: Offset] = [:]
        var deleted: [StreamID: Set<Offset>] = [:]
    }

    private struct Rooms {
        var projected: Offset = 0
        var rooms: [RoomID: RoomState] = [:]
        var members: [RoomID: [AccountID]] = [:]
        var counts: [AccountID: Int] = [:]
    }

    private struct Accounts {
        var projected: Offset = 0
        var guests: Set<AccountID> = []
        var erased: Set<AccountID> = []
    }

    private struct State {
        var events: [Event] = []
        var conversations = Conversations()
        var rooms = Rooms()
        var accounts = Accounts()
        var away: Set<Name> = []
    }

    private let state = Mutex(State())

    /// Remembers committed events, to be projected later.
    func follow(_ batch: EventBatch) throws {
        for index in batch.entries.indices {
            let header = batch.entries[index].header
            let id = batch.withPayload(at: index) { payload in
                header.type == .messageSent ? [UInt8](copying: MessagePayload.id(of: payload)) : []
            }
            state.withLock { $0.events.append(Event(header: header, messageID: id)) }
        }
        for offset in batch.redactions { redact(offset) }
    }

    /// Takes in events up to `offset`, or all; what is behind it already stays as it is.
    func project(_ names: [Name] = Name.allCases, upTo offset: Offset = .max) {
        state.withLock { state in
            let head = min(offset, Offset(state.events.count))
            for name in names {
                switch name {
                case .conversations:
                    while state.conversations.projected < head { Self.project(&state.conversations, state.events) }
                case .rooms: while state.rooms.projected < head { Self.project(&state.rooms, state.events) }
                case .accounts: while state.accounts.projected < head { Self.project(&state.accounts, state.events) }
                }
            }
        }
    }

    /// Makes every question to these views fail, and those to others not.
    func setAway(_ names: Set<Name>) { state.withLock { $0.away = names } }

    var leastProjected: Offset { min(conversationsProjected, roomsProjected, accountsProjected) }

    /// The headers of the events after `offset`, with their offsets.
    func headers(after offset: Offset) -> [(header: EventHeader, offset: Offset)] {
        state.withLock { state in
            state.events.enumerated().dropFirst(Int(offset)).map { ($1.header, Offset($0 + 1)) }
        }
    }

    /// The event at `offset`, as the log would have it.
    func event(at offset: Offset) -> Decider.FoundEvent? {
        state.withLock { state in
            guard offset >= 1, offset <= Offset(state.events.count) else { return nil }
            let event = state.events[Int(offset) - 1]
            return Decider.FoundEvent(
                header: event.header,
                isRedacted: event.isRedacted,
                messageID: event.messageID
            )
        }
    }

    /// The payload of the event at `offset` is erased in the log.
    func redact(_ offset: Offset) {
        state.withLock { state in
            state.events[Int(offset) - 1].isRedacted = true
            state.events[Int(offset) - 1].messageID = []
        }
    }

    private static func project(_ view: inout Conversations, _ events: [Event]) {
        let event = events[Int(view.projected)]
        view.projected += 1
        let header = event.header
        view.streams[header.stream, default: StreamState()].apply(header, at: view.projected)
        if !event.messageID.isEmpty {
            let hash = Identifier(hashingMessageID: event.messageID.span)
            let key = Decider.MessageKey(sender: header.actor, hash: hash)
            view.messages[key] = view.messages[key] ?? view.projected
        }
        if header.type == .payloadRedacted { view.messages = view.messages.filter { $0.value != header.reference } }
        if header.type == .messagesRead {
            let conversation =
                header.concernsRoom
                ? Command.Conversation(me: header.actor, room: header.subject)
                : Command.Conversation(me: header.actor, peer: header.subject)
            view.marks[conversation] = header.reference
        }
        if header.type == .messageDeleted { view.deleted[header.stream, default: []].insert(header.reference) }
    }

    private static func project(_ view: inout Rooms, _ events: [Event]) {
        let header = events[Int(view.projected)].header
        view.projected += 1
        switch header.type {
        case .roomCreated: view.rooms[header.stream] = RoomState(owner: header.actor, memberCount: 0)
        case .memberAdded:
            view.rooms[header.stream]?.memberCount += 1
            view.members[header.stream, default: []].append(header.subject)
            view.counts[header.subject, default: 0] += 1
        case .memberRemoved:
            view.rooms[header.stream]?.memberCount -= 1
            view.members[header.stream]?.removeAll { $0 == header.subject }
            view.counts[header.subject, default: 0] -= 1
        case .ownerChanged: view.rooms[header.stream]?.owner = header.subject
        default: break
        }
    }

    private static func project(_ view: inout Accounts, _ events: [Event]) {
        let header = events[Int(view.projected)].header
        view.projected += 1
        if header.type == .guestSeen { view.guests.insert(header.actor) }
        if header.type == .userRegistered { view.guests.remove(header.actor) }
        if header.type == .userErased { view.erased.insert(header.subject) }
    }

    private func ask<Value: Sendable>(_ name: Name, _ body: (State) -> Value) throws -> Value {
        try state.withLock { state in
            guard !state.away.contains(name) else { throw Away() }
            return body(state)
        }
    }

    // MARK: DecisionState

    func stream(_ id: StreamID) throws -> Answer<StreamState> {
        try ask(.conversations) {
            Answer($0.conversations.streams[id] ?? StreamState(), asOf: $0.conversations.projected)
        }
    }

    func mark(of reader: AccountID, in stream: StreamID) throws -> Answer<Offset> {
        try ask(.conversations) { state in
            let mark = state.conversations.marks.first { $0.key.me == reader && $0.key.stream == stream }
            return Answer(mark?.value ?? 0, asOf: state.conversations.projected)
        }
    }

    func room(_ id: RoomID) throws -> Answer<RoomState?> {
        try ask(.rooms) { Answer($0.rooms.rooms[id], asOf: $0.rooms.projected) }
    }

    func isMember(_ account: AccountID, of room: RoomID) throws -> Answer<Bool> {
        try ask(.rooms) { Answer($0.rooms.members[room]?.contains(account) == true, asOf: $0.rooms.projected) }
    }

    func roomCount(of account: AccountID) throws -> Answer<Int> {
        try ask(.rooms) { Answer($0.rooms.counts[account] ?? 0, asOf: $0.rooms.projected) }
    }

    func membersBySeniority(of room: RoomID, _ body: (AccountID) -> Bool) throws -> Offset {
        let answer = try ask(.rooms) { Answer($0.rooms.members[room] ?? [], asOf: $0.rooms.projected) }
        for member in answer.value { guard body(member) else { break } }
        return answer.asOf
    }

    func message(withID hash: Identifier, from sender: AccountID) throws -> Answer<Offset?> {
        try ask(.conversations) { state in
            let key = Decider.MessageKey(sender: sender, hash: hash)
            return Answer(state.conversations.messages[key], asOf: state.conversations.projected)
        }
    }

    func isDeleted(_ message: Offset, in stream: StreamID) throws -> Answer<Bool> {
        try ask(.conversations) { state in
            let deleted = state.conversations.deleted[stream]?.contains(message) == true
            return Answer(deleted, asOf: state.conversations.projected)
        }
    }

    func isGuest(_ account: AccountID) throws -> Answer<Bool> {
        try ask(.accounts) { Answer($0.accounts.guests.contains(account), asOf: $0.accounts.projected) }
    }

    func erasedAccounts() throws -> Answer<Set<AccountID>> {
        try ask(.accounts) { Answer($0.accounts.erased, asOf: $0.accounts.projected) }
    }

    var conversationsProjected: Offset { state.withLock { $0.conversations.projected } }
    var roomsProjected: Offset { state.withLock { $0.rooms.projected } }
    var accountsProjected: Offset { state.withLock { $0.accounts.projected } }
}
