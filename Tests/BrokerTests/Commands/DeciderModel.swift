@testable import Broker

/// What ought to come of a command, worked out the plain way: everything in memory, everything known at once.
struct DeciderModel {
    struct Event: Equatable {
        var type: EventType
        var actor: AccountID
        var subject: Identifier
        var stream: StreamID
        var reference: Offset = 0
    }

    struct Room {
        var owner: AccountID
        /// Who joined first comes first.
        var members: [AccountID]
    }

    private struct MessageID: Hashable {
        var sender: AccountID
        var hash: Identifier
    }

    let limits: DecisionLimits
    private(set) var events: [Event] = []
    var head: Offset { Offset(events.count) }
    private(set) var erased: Set<AccountID> = []
    private var redacted: Set<Offset> = []
    private var messagesWithID: Set<Offset> = []
    private(set) var names: [AccountName: AccountID] = [:]
    private(set) var rooms: [RoomID: Room] = [:]
    private var guests: Set<AccountID> = []
    private(set) var messages: [StreamID: [(offset: Offset, sender: AccountID)]] = [:]
    private var deleted: Set<Offset> = []
    private var marks: [Command.Conversation: Offset] = [:]
    private var ids: [MessageID: Offset] = [:]

    init(limits: DecisionLimits) { self.limits = limits }

    /// Decides on `command`.
    ///
    /// - Parameters:
    ///   - newAccount: The id that the account gets if the command makes one.
    ///   - knowsIDs: Whether sends with an id can be told new from old.
    mutating func decide(_ command: Command, newAccount: AccountID?, knowsIDs: Bool) -> (Outcome, [Event]) {
        do throws(Refusal) {
            for account in command.accounts where erased.contains(account) { throw .noSuchAccount }
            let (outcome, events) = try apply(command, newAccount: newAccount, knowsIDs: knowsIDs)
            self.events += events
            return (outcome, events)
        } catch {
            return (.refused(error), [])
        }
    }

    private mutating func apply(
        _ command: Command,
        newAccount: AccountID?,
        knowsIDs: Bool
    ) throws(Refusal) -> (Outcome, [Event]) {
        switch command {
        case .send(let message): return try send(message, knowsIDs: knowsIDs)
        case .markRead(let conversation, let upTo): return try markRead(conversation, upTo)
        case .edit(let edit):
            try requireOwnMessage(edit.target, edit.conversation)
            guard !deleted.contains(edit.target), !redacted.contains(edit.target) else { throw .noSuchMessage }
            return stored([change(.messageEdited, edit.target, edit.conversation)])
        case .delete(let conversation, let target):
            try requireOwnMessage(target, conversation)
            guard deleted.insert(target).inserted else { return (.unchanged(target), []) }
            return stored([change(.messageDeleted, target, conversation)])
        case .admitGuest(let name):
            if let id = names[name] { return (.account(id, 0), []) }
            let id = newAccount ?? .none
            names[name] = id
            guests.insert(id)
            return (.account(id, head + 1), [Event(type: .guestSeen, actor: id, subject: id, stream: id)])
        case .register(let user, let adoptsGuest):
            let known = names[user.account]
            if let known, !adoptsGuest || !guests.contains(known) { throw .accountTaken }
            let id = known ?? newAccount ?? .none
            names[user.account] = id
            guests.remove(id)
            return (.account(id, head + 1), [Event(type: .userRegistered, actor: id, subject: id, stream: id)])
        case .recordLogin(let id, _, _): return stored([Event(type: .userLoggedIn, actor: id, subject: id, stream: id)])
        case .recordFailedLogin(let id, _):
            return stored([Event(type: .loginFailed, actor: id, subject: id, stream: id)])
        case .createRoom(let room, let creator, _, let members): return try createRoom(room, creator, members)
        case .addMember(let account, let room, let actor):
            guard let found = rooms[room] else { throw .noSuchRoom }
            guard found.members.contains(actor) else { throw .notMember }
            if found.members.contains(account) { return (.unchanged(0), []) }
            guard found.members.count < limits.roomMembers else { throw .tooManyMembers }
            guard roomCount(of: account) < limits.userRooms else { throw .tooManyRooms }
            rooms[room]?.members.append(account)
            return stored([Event(type: .memberAdded, actor: actor, subject: account, stream: room)])
        case .removeMember(let account, let room, let actor): return try removeMember(account, room, actor)
        case .redact(let redaction): return try redact(redaction, knowsIDs: knowsIDs)
        case .eraseUser(let erasure):
            let account = erasure.account
            if erased.contains(account) { return (.unchanged(0), []) }
            guard !erasure.names.isEmpty, erasure.names.allSatisfy({ names[$0] == account }) else {
                throw .noSuchAccount
            }
            names = names.filter { $0.value != account }
            erased.insert(account)
            return stored([Event(type: .userErased, actor: erasure.actor, subject: account, stream: account)])
        case .attest(_, let offset):
            return stored([
                Event(type: .viewAttested, actor: .none, subject: .system, stream: .system, reference: offset)
            ])
        case .recordAuditorRead(let id, _):
            return stored([Event(type: .auditorRead, actor: id, subject: id, stream: id)])
        }
    }

    private mutating func redact(
        _ redaction: Command.Redaction,
        knowsIDs: Bool
    ) throws(Refusal) -> (Outcome, [Event]) {
        var targets: [Offset] = []
        for offset in redaction.offsets {
            guard offset >= 1, offset <= head else { throw .noSuchEvent }
            guard !redacted.contains(offset) else { continue }
            let event = events[Int(offset) - 1]
            switch event.type {
            case .messagesRead, .messageDeleted, .memberAdded, .memberRemoved, .ownerChanged, .viewAttested:
                throw .notErasable
            case .userRegistered, .guestSeen:
                guard erased.contains(event.subject) else { throw .notErasable }
            default: break
            }
            guard knowsIDs || !messagesWithID.contains(offset) else { throw .unavailable }
            if !targets.contains(offset) { targets.append(offset) }
        }
        guard !targets.isEmpty else { return (.unchanged(redaction.offsets.last ?? 0), []) }
        redacted.formUnion(targets)
        ids = ids.filter { !targets.contains($0.value) }
        return stored(
            targets.map { target in
                let event = events[Int(target) - 1]
                return Event(
                    type: .payloadRedacted,
                    actor: redaction.actor,
                    subject: event.subject,
                    stream: event.stream,
                    reference: target
                )
            }
        )
    }

    private func stored(_ events: [Event]) -> (Outcome, [Event]) {
        (.stored(last: head + Offset(events.count)), events)
    }

    private func roomCount(of account: AccountID) -> Int { rooms.values.count { $0.members.contains(account) } }

    private func requireMember(_ account: AccountID, of room: RoomID) throws(Refusal) {
        guard let found = rooms[room] else { throw .noSuchRoom }
        guard found.members.contains(account) else { throw .notMember }
    }

    private mutating func send(_ message: Command.Message, knowsIDs: Bool) throws(Refusal) -> (Outcome, [Event]) {
        let conversation = message.conversation
        let id = message.idHash.map { MessageID(sender: conversation.me, hash: $0) }
        if let id {
            guard knowsIDs else { throw .unavailable }
            if let first = ids[id] { return (.duplicate(first), []) }
        }
        let sent = messages[conversation.stream] ?? []
        if conversation.isRoom {
            try requireMember(conversation.me, of: conversation.stream)
        } else if limits.unanswered > 0, conversation.me != conversation.subject {
            let run = sent.reversed().prefix { $0.sender == conversation.me }.count
            guard run < limits.unanswered else { throw .unanswered }
        }
        messages[conversation.stream] = sent + [(head + 1, conversation.me)]
        if let id {
            ids[id] = head + 1
            messagesWithID.insert(head + 1)
        }
        return stored([
            Event(
                type: .messageSent,
                actor: conversation.me,
                subject: conversation.subject,
                stream: conversation.stream
            )
        ])
    }

    private mutating func markRead(
        _ conversation: Command.Conversation,
        _ upTo: Offset
    ) throws(Refusal) -> (Outcome, [Event]) {
        if conversation.isRoom { try requireMember(conversation.me, of: conversation.stream) }
        let sent = messages[conversation.stream] ?? []
        let mark = marks[conversation] ?? 0
        let target = min(upTo, sent.last { $0.sender != conversation.me }?.offset ?? 0)
        guard target > mark else { return (.unchanged(max(mark, min(upTo, sent.last?.offset ?? 0))), []) }
        marks[conversation] = target
        return stored([
            Event(
                type: .messagesRead,
                actor: conversation.me,
                subject: conversation.subject,
                stream: conversation.stream,
                reference: target
            )
        ])
    }

    private func requireOwnMessage(_ target: Offset, _ conversation: Command.Conversation) throws(Refusal) {
        if conversation.isRoom { try requireMember(conversation.me, of: conversation.stream) }
        let found = messages[conversation.stream]?.first { $0.offset == target }
        guard let found else { throw .noSuchMessage }
        guard found.sender == conversation.me else { throw .notAuthor }
    }

    private func change(_ type: EventType, _ target: Offset, _ conversation: Command.Conversation) -> Event {
        Event(
            type: type,
            actor: conversation.me,
            subject: conversation.subject,
            stream: conversation.stream,
            reference: target
        )
    }

    private mutating func createRoom(
        _ room: RoomID,
        _ creator: AccountID,
        _ members: [AccountID]
    ) throws(Refusal) -> (Outcome, [Event]) {
        var all = [creator]
        for member in members where !all.contains(member) { all.append(member) }
        guard all.count <= limits.roomMembers else { throw .tooManyMembers }
        for member in all { guard roomCount(of: member) < limits.userRooms else { throw .tooManyRooms } }
        rooms[room] = Room(owner: creator, members: all)
        let joins = all.map { Event(type: .memberAdded, actor: creator, subject: $0, stream: room) }
        return stored([Event(type: .roomCreated, actor: creator, subject: room, stream: room)] + joins)
    }

    private mutating func removeMember(
        _ account: AccountID,
        _ room: RoomID,
        _ actor: AccountID
    ) throws(Refusal) -> (Outcome, [Event]) {
        try requireMember(actor, of: room)
        guard let found = rooms[room] else { throw .noSuchRoom }
        guard account == actor || found.owner == actor else { throw .notAllowed }
        guard found.members.contains(account) else { return (.unchanged(0), []) }
        let left = found.members.filter { $0 != account }
        rooms[room]?.members = left
        var events = [Event(type: .memberRemoved, actor: actor, subject: account, stream: room)]
        if found.owner == account, let heir = left.first {
            rooms[room]?.owner = heir
            events.append(Event(type: .ownerChanged, actor: actor, subject: heir, stream: room))
        }
        return stored(events)
    }
}
