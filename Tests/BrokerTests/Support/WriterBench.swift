import Synchronization

@testable import Broker

/// The writer without its thread and its disk: a decider, views that lag, and a table of names.
struct WriterBench {
    /// The names table of the log.
    private final class Names: Sendable {
        let ids = Mutex<[AccountName: AccountID]>([:])
    }

    let views = FakeViews()
    private let names = Names()
    private let limits: DecisionLimits
    private let memoryCapacity: Int
    private(set) var decider: Decider
    private(set) var head: Offset = 0

    init(limits: DecisionLimits = .init(), memoryCapacity: Int = 200_000) {
        self.limits = limits
        self.memoryCapacity = memoryCapacity
        decider = Self.makeDecider(limits, views, names, head: 0, erased: [], memoryCapacity)
    }

    /// Decides on `commands` as one batch, which reaches the disk.
    @discardableResult
    mutating func decide(_ commands: Command...) throws -> [Outcome] {
        begin()
        let outcomes = commands.map { decider.decide($0) }
        try commit()
        return outcomes
    }

    mutating func begin() { decider.begin(head: head, milliseconds: 1000 + head) }

    mutating func decide(next command: Command) -> Outcome { decider.decide(command) }

    /// The batch is on disk; the views are told and project nothing yet.
    mutating func commit() throws {
        let batch = decider.batch
        try views.follow(batch)
        names.ids.withLock { ids in
            for name in batch.releasedNames { ids[AccountName(trusting: name)] = nil }
            for (name, id) in batch.names { ids[AccountName(trusting: name)] = id }
        }
        head = batch.last
        decider.commit()
    }

    /// The batch is on disk, and `other`, which decided the same, has told the views.
    mutating func commit(like other: WriterBench) {
        head = other.head
        decider.commit()
    }

    mutating func rollBack() { decider.rollBack() }

    /// The writer begins anew, with what the views and the log have.
    mutating func restart() throws {
        let erased = try views.erasedAccounts().value
        decider = Self.makeDecider(limits, views, names, head: head, erased: erased, memoryCapacity)
        for event in views.headers(after: views.leastProjected) {
            try decider.replay(event.header, at: event.offset)
        }
    }

    /// What `account` goes by.
    func names(of account: AccountID) -> [AccountName] {
        names.ids.withLock { ids in ids.filter { $0.value == account }.map(\.key) }
    }

    private static func makeDecider(
        _ limits: DecisionLimits,
        _ views: FakeViews,
        _ names: Names,
        head: Offset,
        erased: Set<AccountID>,
        _ capacity: Int
    ) -> Decider {
        var decider = Decider(
            limits: limits,
            state: views,
            head: head,
            erased: erased,
            findAccount: { name in names.ids.withLock { $0[name] } },
            findEvent: { views.event(at: $0) }
        )
        decider.streams = WriterMemory(capacity: capacity)
        decider.marks = WriterMemory(capacity: capacity)
        decider.rooms = WriterMemory(capacity: capacity)
        decider.memberships = WriterMemory(capacity: capacity)
        decider.roomCounts = WriterMemory(capacity: capacity)
        decider.messages = WriterMemory(capacity: capacity)
        decider.deletions = WriterMemory(capacity: capacity)
        decider.guests = WriterMemory(capacity: capacity)
        return decider
    }
}

extension Command {
    /// A message to a peer.
    static func send(_ content: String, from me: AccountID, to peer: AccountID, id: String = "") -> Command {
        send(content, in: Conversation(me: me, peer: peer), id: id)
    }

    /// A message to a room.
    static func send(_ content: String, from me: AccountID, room: RoomID, id: String = "") -> Command {
        send(content, in: Conversation(me: me, room: room), id: id)
    }

    private static func send(_ content: String, in conversation: Conversation, id: String) -> Command {
        let idBytes = Array(id.utf8)
        return .send(
            Message(
                conversation: conversation,
                payload: MessagePayload.encode(content: Array(content.utf8), id: idBytes),
                idHash: id.isEmpty ? nil : Identifier(hashingMessageID: idBytes.span)
            )
        )
    }

    static func markRead(by me: AccountID, peer: AccountID, upTo: Offset = .max) -> Command {
        .markRead(Conversation(me: me, peer: peer), upTo: upTo)
    }

    static func markRead(by me: AccountID, room: RoomID, upTo: Offset = .max) -> Command {
        .markRead(Conversation(me: me, room: room), upTo: upTo)
    }

    static func edit(_ target: Offset, _ content: String, by me: AccountID, peer: AccountID) -> Command {
        edit(target, content, in: Conversation(me: me, peer: peer))
    }

    static func edit(_ target: Offset, _ content: String, by me: AccountID, room: RoomID) -> Command {
        edit(target, content, in: Conversation(me: me, room: room))
    }

    static func edit(_ target: Offset, _ content: String, in conversation: Conversation) -> Command {
        let payload = MessagePayload.encode(content: Array(content.utf8))
        return .edit(Edit(conversation: conversation, target: target, payload: payload))
    }

    static func delete(_ target: Offset, by me: AccountID, peer: AccountID) -> Command {
        .delete(Conversation(me: me, peer: peer), target: target)
    }

    static func delete(_ target: Offset, by me: AccountID, room: RoomID) -> Command {
        .delete(Conversation(me: me, room: room), target: target)
    }

    static func createRoom(_ room: RoomID, by creator: AccountID, with members: AccountID...) -> Command {
        .createRoom(room, creator: creator, name: "room", members: members)
    }

    static func register(_ account: AccountName, adoptsGuest: Bool = false) -> Command {
        .register(
            EventPayload.UserRegistered(account: account, username: "u", email: "e", passwordHash: "h"),
            adoptsGuest: adoptsGuest
        )
    }
}
