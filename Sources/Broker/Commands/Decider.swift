internal import Cryptography

/// Turns commands into events: the one place where it is decided what may happen.
///
/// A value without clock, thread or disk; confined to the writer.
struct Decider: Sendable {
    /// What is allowed.
    let limits: DecisionLimits
    let state: any DecisionState
    /// The account that goes by a name, as the log has it.
    let findAccount: @Sendable (AccountName) throws -> AccountID?
    /// The event at an offset, as the log has it; nil if there is none.
    let findEvent: @Sendable (Offset) throws -> FoundEvent?

    private(set) var batch: EventBatch
    /// The time of the batch being built.
    private var milliseconds: UInt64 = 0

    var streams = WriterMemory<StreamID, StreamState>()
    var marks = WriterMemory<Command.Conversation, Offset>()
    var rooms = WriterMemory<RoomID, RoomState?>()
    var memberships = WriterMemory<Membership, Bool>()
    var roomCounts = WriterMemory<AccountID, Int>()
    var messages = WriterMemory<MessageKey, Offset?>()
    /// Whether a message is deleted, by its offset.
    var deletions = WriterMemory<Offset, Bool>()
    var guests = WriterMemory<AccountID, Bool>()
    private var claims: [AccountName: AccountID] = [:]
    /// Names that the batch has taken from their accounts.
    private var released: Set<AccountName> = []
    /// Accounts that nobody acts as any more: few, so that all are kept.
    private(set) var erased: Set<AccountID>
    /// Those that the batch erases.
    private var erasing: Set<AccountID> = []
    /// What the batch redacts.
    private var redacting: Set<Offset> = []
    private var salts = SaltSource()
    /// Message ids in the log up to here are known to the view alone.
    let messageIDsNeeded: Offset

    struct Membership: Hashable {
        var room: RoomID
        var account: AccountID
    }

    struct MessageKey: Hashable {
        var sender: AccountID
        var hash: Identifier
    }

    /// What the log knows of an event without its payload.
    struct FoundEvent {
        var header: EventHeader
        var isRedacted: Bool
        /// The client's own id of a message, UTF-8; empty for none.
        var messageID: [UInt8] = []
    }

    /// - Parameter erased: The accounts that were erased, as far as the views know.
    init(
        limits: DecisionLimits,
        state: any DecisionState,
        head: Offset,
        erased: Set<AccountID>,
        findAccount: @escaping @Sendable (AccountName) throws -> AccountID?,
        findEvent: @escaping @Sendable (Offset) throws -> FoundEvent?
    ) {
        self.erased = erased
        self.limits = limits
        self.state = state
        self.findAccount = findAccount
        self.findEvent = findEvent
        batch = EventBatch(first: head + 1)
        messageIDsNeeded = head
    }

    /// Begins the next batch.
    ///
    /// - Parameter milliseconds: The time now, not before that of the last batch.
    mutating func begin(head: Offset, milliseconds: UInt64) {
        batch = EventBatch(first: head + 1, like: batch)
        self.milliseconds = milliseconds
    }

    /// The batch is on disk.
    mutating func commit() {
        let conversationsProjected = state.conversationsProjected
        streams.commit(projected: conversationsProjected)
        marks.commit(projected: conversationsProjected)
        messages.commit(projected: conversationsProjected)
        deletions.commit(projected: conversationsProjected)
        let roomsProjected = state.roomsProjected
        rooms.commit(projected: roomsProjected)
        memberships.commit(projected: roomsProjected)
        roomCounts.commit(projected: roomsProjected)
        guests.commit(projected: state.accountsProjected)
        erased.formUnion(erasing)
        forgetBatch()
    }

    /// The batch didn't reach the disk: nothing of it has happened.
    mutating func rollBack() {
        streams.rollBack()
        marks.rollBack()
        rooms.rollBack()
        memberships.rollBack()
        roomCounts.rollBack()
        messages.rollBack()
        deletions.rollBack()
        guests.rollBack()
        forgetBatch()
    }

    private mutating func forgetBatch() {
        claims.removeAll(keepingCapacity: true)
        released.removeAll()
        erasing.removeAll()
        redacting.removeAll()
    }

    /// Decides on `command`; its events, if any, are then part of the batch.
    mutating func decide(_ command: Command) -> Outcome {
        do {
            try requireActor(of: command)
            switch command {
            case .send(let message): return try send(message)
            case .markRead(let conversation, let upTo): return try markRead(conversation, upTo: upTo)
            case .edit(let change): return try edit(change)
            case .delete(let conversation, let target): return try delete(target, in: conversation)
            case .admitGuest(let name): return try admitGuest(name)
            case .register(let user, let adoptsGuest): return try register(user, adoptsGuest: adoptsGuest)
            case .recordLogin(let account, let address, let port):
                return try recordAccess(.userLoggedIn, of: account, .userLoggedIn(address: address, port: port))
            case .recordFailedLogin(let account, let address):
                return try recordAccess(.loginFailed, of: account, .loginFailed(address: address))
            case .createRoom(let room, let creator, let name, let members):
                return try createRoom(room, creator: creator, name: name, members: members)
            case .addMember(let account, let room, let actor): return try addMember(account, to: room, by: actor)
            case .removeMember(let account, let room, let actor):
                return try removeMember(account, from: room, by: actor)
            case .redact(let redaction): return try redact(redaction)
            case .eraseUser(let erasure): return try eraseUser(erasure)
            case .attest(let views, let offset): return try attest(views, at: offset)
            case .recordAuditorRead(let account, let request):
                return try recordAccess(.auditorRead, of: account, .auditorRead(request: request))
            }
        } catch let refusal as Refusal {
            return .refused(refusal)
        } catch {
            // A view that decides is away. Others go on.
            return .refused(.unavailable)
        }
    }

    /// Takes in an event that the log has and the views maybe don't, after a start.
    mutating func replay(_ header: EventHeader, at offset: Offset) throws {
        let state = state
        try streams.replay(header.stream, at: offset, otherwise: state.stream) { $0.apply(header, at: offset) }
        switch header.type {
        case .messagesRead:
            let conversation = Self.conversation(of: header)
            try marks.replay(conversation, at: offset, otherwise: { try state.mark(of: $0.me, in: $0.stream) }) {
                $0 = max($0, header.reference)
            }
        case .roomCreated:
            try rooms.replay(header.stream, at: offset, otherwise: state.room) {
                $0 = RoomState(owner: header.actor, memberCount: 0)
            }
        case .memberAdded, .memberRemoved:
            let joins = header.type == .memberAdded
            let membership = Membership(room: header.stream, account: header.subject)
            try memberships.replay(
                membership,
                at: offset,
                otherwise: { try state.isMember($0.account, of: $0.room) },
                { $0 = joins }
            )
            try rooms.replay(header.stream, at: offset, otherwise: state.room) { $0?.memberCount += joins ? 1 : -1 }
            try roomCounts.replay(header.subject, at: offset, otherwise: state.roomCount) { $0 += joins ? 1 : -1 }
        case .ownerChanged:
            try rooms.replay(header.stream, at: offset, otherwise: state.room) { $0?.owner = header.subject }
        case .userRegistered, .guestSeen:
            try guests.replay(header.actor, at: offset, otherwise: state.isGuest) { $0 = header.type == .guestSeen }
        case .messageDeleted:
            let ask: (Offset) throws -> Answer<Bool> = { try state.isDeleted($0, in: header.stream) }
            try deletions.replay(header.reference, at: offset, otherwise: ask) { $0 = true }
        case .userErased:
            erased.insert(header.subject)
        case .messageEdited, .userLoggedIn, .loginFailed, .messageSent, .payloadRedacted, .viewAttested, .auditorRead:
            // Their stream's revision is all that is decided by.
            break
        }
    }

    private static func conversation(of header: EventHeader) -> Command.Conversation {
        header.concernsRoom
            ? Command.Conversation(me: header.actor, room: header.subject)
            : Command.Conversation(me: header.actor, peer: header.subject)
    }

    // MARK: Accounts

    func account(named name: AccountName) throws -> AccountID? {
        if let claimed = claims[name] { return claimed }
        return released.contains(name) ? nil : try findAccount(name)
    }

    func isErased(_ account: AccountID) -> Bool { erased.contains(account) || erasing.contains(account) }

    /// Nobody acts as an erased account: what a socket that is still open sends would be in the log again.
    private func requireActor(of command: Command) throws(Refusal) {
        guard !erased.isEmpty || !erasing.isEmpty else { return }
        for account in command.accounts where isErased(account) { throw .noSuchAccount }
    }

    private mutating func admitGuest(_ name: AccountName) throws -> Outcome {
        if let found = try account(named: name) { return .account(found, 0) }
        let id = AccountID.random()
        let offset = try append(
            EventHeader(type: .guestSeen, payloadClass: .personal, actor: id, subject: id, stream: id),
            payload: try EventPayload.guestSeen(account: name).encode()
        )
        claim(name, for: id)
        guests.set(true, for: id, at: offset)
        return .account(id, offset)
    }

    private mutating func register(_ user: EventPayload.UserRegistered, adoptsGuest: Bool) throws -> Outcome {
        let id: AccountID
        var isNew = false
        if let found = try account(named: user.account) {
            guard adoptsGuest, try guests.value(of: found, otherwise: state.isGuest) else { throw Refusal.accountTaken }
            id = found
        } else {
            id = .random()
            isNew = true
        }
        let offset = try append(
            EventHeader(type: .userRegistered, payloadClass: .credential, actor: id, subject: id, stream: id),
            payload: try EventPayload.userRegistered(user).encode()
        )
        if isNew { claim(user.account, for: id) }
        guests.set(false, for: id, at: offset)
        return .account(id, offset)
    }

    private mutating func recordAccess(
        _ type: EventType,
        of account: AccountID,
        _ payload: EventPayload
    ) throws -> Outcome {
        let header = EventHeader(
            type: type,
            version: EventPayload.currentVersion(of: type),
            payloadClass: .personal,
            actor: account,
            subject: account,
            stream: account
        )
        return .stored(last: try append(header, payload: try payload.encode()))
    }

    private mutating func claim(_ name: AccountName, for id: AccountID) {
        claims[name] = id
        batch.claim(name, for: id)
    }

    /// The batch erases `account`, which goes by `names`.
    mutating func erase(_ account: AccountID, names: [AccountName]) {
        for name in names {
            claims[name] = nil
            released.insert(name)
            batch.release(name)
        }
        erasing.insert(account)
    }

    // MARK: Appending

    func isRedacting(_ offset: Offset) -> Bool { redacting.contains(offset) }

    /// The batch takes the payload of the event at `offset` out of the log.
    mutating func redactPayload(at offset: Offset) {
        redacting.insert(offset)
        batch.redact(offset)
    }

    mutating func append(_ header: EventHeader, payload: [UInt8]) throws -> Offset {
        var stream = try streams.value(of: header.stream, otherwise: state.stream)
        var header = header
        header.revision = stream.revision + 1
        header.milliseconds = milliseconds
        let offset = batch.next
        batch.append(header: header, salt: salts.next(), payload: payload.span)
        stream.apply(header, at: offset)
        streams.set(stream, for: header.stream, at: offset)
        return offset
    }
}
