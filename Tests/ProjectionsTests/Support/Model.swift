@testable import Broker
@testable import Projections

/// What the views should say, computed from the whole history in the plainest way for each question.
struct Model {
    let events: [TestEvent]

    struct Message: Equatable {
        var offset: Offset
        var sender: AccountID
        var text: String
        var updated: UInt64
        var isDeleted = false
        var isRedacted = false
    }

    /// The events whose payload is erased.
    private var redacted: Set<Offset> { Set(events.filter { $0.type == .payloadRedacted }.map(\.reference)) }

    private var numbered: [(offset: Offset, event: TestEvent)] {
        events.enumerated().map { (Offset($0.offset) + 1, $0.element) }
    }

    // MARK: Conversations

    func messages(in stream: StreamID) -> [Message] {
        var messages: [Message] = []
        let redacted = redacted
        for (offset, event) in numbered where event.stream == stream {
            let time = TestLog.milliseconds(of: offset)
            let target = messages.firstIndex { $0.offset == event.reference && !$0.isDeleted }
            switch event.payload {
            case .messageSent(let content, _):
                var message = Message(offset: offset, sender: event.actor, text: content, updated: time)
                message.isRedacted = redacted.contains(offset)
                if message.isRedacted { message.text = "" }
                messages.append(message)
            case .messageEdited(let content):
                guard let target else { continue }
                let isRedacted = redacted.contains(messages[target].offset) || redacted.contains(offset)
                messages[target].text = isRedacted ? "" : content
                messages[target].isRedacted = isRedacted
                messages[target].updated = time
            case .empty(.messageDeleted):
                guard let target else { continue }
                messages[target].text = ""
                messages[target].updated = time
                messages[target].isDeleted = true
            default: continue
            }
        }
        return messages
    }

    func mark(of reader: AccountID, in stream: StreamID) -> Offset {
        events.filter { $0.type == .messagesRead && $0.stream == stream && $0.actor == reader }.map(\.reference).max()
            ?? 0
    }

    func streamState(_ stream: StreamID) -> StreamState {
        var state = StreamState()
        for event in events where event.stream == stream { state.revision += event.stream == stream ? 1 : 0 }
        let sent = numbered.filter { $0.event.stream == stream && $0.event.type == .messageSent }
        guard let last = sent.last else { return state }
        state.lastMessage = last.offset
        state.lastSender = last.event.actor
        state.lastMessageOfAnother = sent.last { $0.event.actor != last.event.actor }?.offset ?? 0
        state.run = UInt64(sent.reversed().prefix { $0.event.actor == last.event.actor }.count)
        return state
    }

    /// The first message that each sender sent with each message id.
    var messageIDs: [(sender: AccountID, id: String, offset: Offset)] {
        var found: [(sender: AccountID, id: String, offset: Offset)] = []
        let redacted = redacted
        for (offset, event) in numbered {
            guard case .messageSent(_, let id) = event.payload, !id.isEmpty, !redacted.contains(offset) else {
                continue
            }
            if !found.contains(where: { $0.sender == event.actor && $0.id == id }) {
                found.append((event.actor, id, offset))
            }
        }
        return found
    }

    // MARK: Rooms

    /// Who is in, in the order of joining.
    func members(of room: RoomID) -> [AccountID] {
        var members: [AccountID] = []
        var exists = false
        for event in events where event.stream == room {
            switch event.type {
            case .roomCreated: exists = true
            case .memberAdded where exists && !members.contains(event.subject): members.append(event.subject)
            case .memberRemoved: members.removeAll { $0 == event.subject }
            default: break
            }
        }
        return members
    }

    /// The times that `account` was in a room, by room and time.
    func spans(of account: AccountID) -> [RoomSpan] {
        var spans: [RoomSpan] = []
        for room in Set(events.filter { $0.type == .roomCreated }.map(\.stream)).sorted() {
            var exists = false
            var joined: Offset?
            for (offset, event) in numbered where event.stream == room {
                exists = exists || event.type == .roomCreated
                guard event.subject == account, exists else { continue }
                if event.type == .memberAdded, joined == nil { joined = offset }
                if event.type == .memberRemoved, let start = joined {
                    spans.append(RoomSpan(room: room, joined: start, left: offset))
                    joined = nil
                }
            }
            if let joined { spans.append(RoomSpan(room: room, joined: joined, left: 0)) }
        }
        return spans
    }

    func name(of room: RoomID) -> String {
        let created = numbered.first { $0.event.type == .roomCreated && $0.event.stream == room }
        guard let created, case .roomCreated(let name) = created.event.payload else { return "" }
        return redacted.contains(created.offset) ? "" : name
    }

    func owner(of room: RoomID) -> AccountID? {
        var owner: AccountID?
        for event in events where event.stream == room {
            if event.type == .roomCreated { owner = event.actor }
            if event.type == .ownerChanged { owner = event.subject }
        }
        return owner
    }

    // MARK: Timelines

    /// What may concern a socket: the whole log, filtered.
    func timeline(_ scope: Timeline.Scope, includesChanges: Bool, accounts: [AccountID]) -> [Offset] {
        var streams: Set<StreamID> = []
        var follower: AccountID?
        switch scope {
        case .conversation(let stream): streams = [stream]
        case .rooms(let account): follower = account
        case .everything(let account):
            streams = Set(accounts.map { .conversation(account, $0) })
            follower = account
        }
        var rooms: Set<RoomID> = []
        return numbered.compactMap { offset, event in
            let isMine: Bool
            switch event.type {
            case .roomCreated:
                rooms.insert(event.stream)
                isMine = false
            case .memberAdded:
                isMine =
                    event.subject == follower && rooms.contains(event.stream)
                    && streams.insert(event.stream).inserted
            case .memberRemoved: isMine = event.subject == follower && streams.remove(event.stream) != nil
            case .messageSent: isMine = streams.contains(event.stream)
            case .messagesRead, .messageEdited, .messageDeleted:
                isMine = includesChanges && streams.contains(event.stream)
            case .payloadRedacted:
                // Of what is no message, such as a room's name, nobody is told.
                let types: [EventType] = [.messageSent, .messageEdited]
                let isMessage = types.contains(events[Int(event.reference) - 1].type)
                isMine = isMessage && includesChanges && streams.contains(event.stream)
            case .userRegistered, .guestSeen, .userLoggedIn, .loginFailed, .ownerChanged, .userErased, .viewAttested,
                .auditorRead:
                isMine = false
            }
            return isMine ? offset : nil
        }
    }

    // MARK: Unread, message by message

    func unread(of reader: AccountID, in stream: StreamID) -> UInt64 {
        var unread: [Offset] = []
        var isIn = false
        var read: Offset = 0
        for (offset, event) in numbered where event.stream == stream {
            switch event.type {
            case .messageSent:
                if event.subject != stream, event.actor == reader || event.subject == reader { isIn = true }
                if isIn, event.actor != reader { unread.append(offset) }
            case .messagesRead where event.actor == reader:
                read = max(read, event.reference)
                unread.removeAll { $0 <= read }
            case .messageDeleted: unread.removeAll { $0 == event.reference }
            case .memberAdded where event.subject == reader && !isIn:
                isIn = true
                unread = []
            case .memberRemoved where event.subject == reader: isIn = false
            default: break
            }
        }
        return isIn ? UInt64(unread.count) : 0
    }
}
