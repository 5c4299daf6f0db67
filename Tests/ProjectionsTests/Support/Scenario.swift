@testable import Broker

/// A random history: some accounts and rooms, messages in all of them, marks, edits and deletions in and out of order,
/// and events that change nothing, such as adding a member twice.
struct Scenario {
    private var random: SeededRandom
    let accounts: [AccountID]
    private let mostRooms: Int
    private(set) var rooms: [RoomID] = []
    /// What has been said, by stream, in the order of the log.
    private var messages: [(offset: Offset, stream: StreamID, sender: AccountID, peer: Identifier)] = []
    private var next: Offset = 1
    private var messageID = 0
    private let redacts: Bool
    /// What may be redacted, once each.
    private var erasable: [(offset: Offset, event: TestEvent)] = []
    private var erased: Set<AccountID> = []

    static let texts = [
        "", "hello", "你好，世界", "emoji 👩‍👩‍👧‍👦 🏴󠁧󠁢󠁥󠁮󠁧󠁿", "quote \" backslash \\ slash /", "line\nbreak\ttab\u{0}\u{1f}",
        "Ünïcödé e\u{301}", "العربية עברית", String(repeating: "long ", count: 60),
    ]

    /// - Parameter redacts: Whether payloads are erased and accounts as well. No id of a message comes twice then: a
    ///   log never has that, and a view couldn't tell which was the first once that is redacted.
    init(seed: UInt64, accounts count: Int = 6, rooms: Int = 4, redacts: Bool = false) {
        self.redacts = redacts
        random = SeededRandom(seed: seed)
        mostRooms = rooms
        var ids: [AccountID] = []
        for _ in 0..<count { ids.append(Identifier(high: random.next(), low: random.next())) }
        accounts = ids
    }

    /// The next `count` events.
    mutating func events(_ count: Int) -> [TestEvent] {
        var events: [TestEvent] = []
        while events.count < count {
            let event = next <= UInt64(accounts.count) ? introduction() : anything()
            if event.type == .messageSent {
                messages.append((next, event.stream, event.actor, event.subject))
            }
            switch event.payload {
            case .empty, .redacted, .viewAttested: break
            default: erasable.append((next, event))
            }
            events.append(event)
            next += 1
        }
        return events
    }

    private mutating func introduction() -> TestEvent {
        let index = Int(next) - 1
        let id = accounts[index]
        return index % 3 == 2 ? .guest(id, "guest\(index)") : .registered(id, "user\(index)")
    }

    private mutating func account() -> AccountID { accounts[random.below(accounts.count)] }

    private mutating func anything() -> TestEvent {
        switch random.below(redacts ? 24 : 20) {
        case 20..<23: return redaction() ?? message()
        case 23: return erasure() ?? message()
        case 0: return .loggedIn(account())
        case 1 where rooms.count < mostRooms:
            let room = Identifier(high: random.next(), low: random.next())
            rooms.append(room)
            return .roomCreated(room, "room \"\(rooms.count)\"", by: account())
        case 1, 2, 3: return roomChange() ?? .loggedIn(account())
        case 4, 5, 6, 7: return mark() ?? message()
        case 8: return change() ?? message()
        case 9 where random.oneIn(4):
            let index = random.below(accounts.count)
            guard !erased.contains(accounts[index]) else { return message() }
            return .registered(accounts[index], index % 3 == 2 ? "guest\(index)" : "user\(index)")
        default: return message()
        }
    }

    private mutating func message() -> TestEvent {
        let text = Self.texts[random.below(Self.texts.count)] + (random.oneIn(3) ? " \(next)" : "")
        var id = ""
        if random.oneIn(3) {
            messageID += 1
            // Now and then an id for the second time.
            id = "id-\(!redacts && random.oneIn(5) ? max(1, messageID - 1) : messageID)"
        }
        if !rooms.isEmpty, random.oneIn(2) {
            return .sent(text, from: account(), inRoom: rooms[random.below(rooms.count)], id: id)
        }
        return .sent(text, from: account(), to: account(), id: id)
    }

    private mutating func roomChange() -> TestEvent? {
        guard !rooms.isEmpty else { return nil }
        let room = rooms[random.below(rooms.count)]
        let types: [EventType] = [.memberAdded, .memberAdded, .memberAdded, .memberRemoved, .ownerChanged]
        return .member(types[random.below(types.count)], account(), of: room, by: account())
    }

    /// Of something recent, or of anything.
    private mutating func redaction() -> TestEvent? {
        guard !erasable.isEmpty else { return nil }
        let range = random.oneIn(2) ? erasable.count : min(erasable.count, 5)
        let index = erasable.count - 1 - random.below(range)
        let (offset, event) = erasable[index]
        let isRegistration = [.userRegistered, .guestSeen].contains(event.type)
        guard !isRegistration || erased.contains(event.subject) else { return nil }
        erasable.remove(at: index)
        return .redacted(offset, event)
    }

    private mutating func erasure() -> TestEvent? {
        let account = account()
        // Somebody stays.
        guard erased.count < accounts.count / 2, erased.insert(account).inserted else { return nil }
        return .erased(account)
    }

    private mutating func mark() -> TestEvent? {
        guard let message = anyMessage() else { return nil }
        // Mostly a message, sometimes an offset between messages or past the end.
        let reference = random.oneIn(3) ? message.offset + UInt64(random.below(5)) : message.offset
        if message.stream == message.peer { return .read(reference, by: account(), inRoom: message.stream) }
        return random.oneIn(2)
            ? .read(reference, by: message.peer, from: message.sender)
            : .read(reference, by: message.sender, from: message.peer)
    }

    private mutating func change() -> TestEvent? {
        guard let message = anyMessage() else { return nil }
        // Now and then what isn't a message of this stream, and perhaps none at all.
        let target = random.oneIn(6) ? message.offset + UInt64(random.below(12)) : message.offset
        if random.oneIn(2) { return .deleted(target, by: message.sender, in: message.stream) }
        return .edited(target, to: "edited \"\(next)\" ✏️", by: message.sender, in: message.stream)
    }

    /// One of all, or, as often, one of the last few.
    private mutating func anyMessage() -> (offset: Offset, stream: StreamID, sender: AccountID, peer: Identifier)? {
        guard !messages.isEmpty else { return nil }
        let range = random.oneIn(2) ? messages.count : min(messages.count, 8)
        return messages[messages.count - 1 - random.below(range)]
    }
}
