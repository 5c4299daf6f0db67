internal import Cryptography

/// Turns commands into events: the one place where it is decided what may happen. A value without clock, thread or disk;
/// confined to the writer.
struct Decider: Sendable {
    /// What is allowed.
    let limits: DecisionLimits
    let state: any DecisionState
    /// The account that goes by a name, as the log has it.
    let findAccount: @Sendable (AccountName) throws -> AccountID?

    private(set) var batch: EventBatch
    /// The time of the batch being built.
    private var milliseconds: UInt64 = 0

    private var streams = WriterMemory<StreamID, StreamState>()
    private var marks = WriterMemory<Command.Conversation, Offset>()
    private var rooms = WriterMemory<RoomID, RoomState?>()
    private var memberships = WriterMemory<Membership, Bool>()
    private var roomCounts = WriterMemory<AccountID, Int>()
    private var messages = WriterMemory<MessageKey, Offset?>()
    private var guests = WriterMemory<AccountID, Bool>()
    private var claims: [AccountName: AccountID] = [:]
    private var salts = SaltSource()
    /// Message ids in the log up to here are known to the view alone.
    private var messageIDsNeeded: Offset = 0

    struct Membership: Hashable {
        var room: RoomID
        var account: AccountID
    }

    struct MessageKey: Hashable {
        var sender: AccountID
        var hash: Identifier
    }

    init(
        limits: DecisionLimits,
        state: any DecisionState,
        head: Offset,
        findAccount: @escaping @Sendable (AccountName) throws -> AccountID?
    ) {
        self.limits = limits
        self.state = state
        self.findAccount = findAccount
        batch = EventBatch(first: head + 1)
        messageIDsNeeded = head
    }

    /// Begins the next batch.
    ///
    /// - Parameter milliseconds: The time now, not before that of the last batch.
    mutating func begin(head: Offset, milliseconds: UInt64) {
        batch = EventBatch(first: head + 1)
        self.milliseconds = milliseconds
    }

    /// The batch is on disk.
    mutating func commit() {
        let conversationsProjected = state.conversationsProjected
        streams.commit(projected: conversationsProjected)
        marks.commit(projected: conversationsProjected)
        messages.commit(projected: conversationsProjected)
        let roomsProjected = state.roomsProjected
        rooms.commit(projected: roomsProjected)
        memberships.commit(projected: roomsProjected)
        roomCounts.commit(projected: roomsProjected)
        guests.commit(projected: state.accountsProjected)
        claims.removeAll(keepingCapacity: true)
    }

    /// The batch didn't reach the disk: nothing of it has happened.
    mutating func rollBack() {
        streams.rollBack()
        marks.rollBack()
        rooms.rollBack()
        memberships.rollBack()
        roomCounts.rollBack()
        messages.rollBack()
        guests.rollBack()
        claims.removeAll(keepingCapacity: true)
    }

    /// Decides on `command`; its events, if any, are then part of the batch.
    mutating func decide(_ command: Command) -> Outcome {
        do {
            switch command {
            case .send(let message): return try send(message)
            case .markRead(let conversation, let upTo): return try markRead(conversation, upTo: upTo)
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
            try memberships.replay(membership, at: offset, otherwise: askMembership) { $0 = joins }
            try rooms.replay(header.stream, at: offset, otherwise: state.room) { $0?.memberCount += joins ? 1 : -1 }
            try roomCounts.replay(header.subject, at: offset, otherwise: state.roomCount) { $0 += joins ? 1 : -1 }
        case .ownerChanged:
            try rooms.replay(header.stream, at: offset, otherwise: state.room) { $0?.owner = header.subject }
        case .userRegistered, .guestSeen:
            try guests.replay(header.actor, at: offset, otherwise: state.isGuest) { $0 = header.type == .guestSeen }
        case .userLoggedIn, .loginFailed, .messageSent, .messageEdited, .messageDeleted:
            break
        }
    }

    // MARK: Messages

    private mutating func send(_ message: Command.Message) throws -> Outcome {
        let conversation = message.conversation
        if let hash = message.idHash {
            // Before the view knows the ids of all that was sent before the start, it can't be told new from old.
            let state = state
            guard state.conversationsProjected >= messageIDsNeeded else { throw Refusal.unavailable }
            let key = MessageKey(sender: conversation.me, hash: hash)
            if let first = try messages.value(
                of: key,
                otherwise: { try state.message(withID: $0.hash, from: $0.sender) }
            ) {
                return .duplicate(first)
            }
        }
        if conversation.isRoom {
            try requireMember(conversation.me, of: conversation.stream)
        } else if limits.unanswered > 0 {
            let stream = try streams.value(of: conversation.stream, otherwise: state.stream)
            guard stream.lastSender != conversation.me || stream.run < UInt64(limits.unanswered) else {
                throw Refusal.unanswered
            }
        }
        let offset = try append(
            EventHeader(
                type: .messageSent,
                payloadClass: message.payload.isEmpty ? .empty : .content,
                actor: conversation.me,
                subject: conversation.subject,
                stream: conversation.stream
            ),
            payload: message.payload
        )
        if let hash = message.idHash {
            messages.set(offset, for: MessageKey(sender: conversation.me, hash: hash), at: offset)
        }
        return .stored(last: offset)
    }

    private mutating func markRead(_ conversation: Command.Conversation, upTo: Offset) throws -> Outcome {
        if conversation.isRoom { try requireMember(conversation.me, of: conversation.stream) }
        let stream = try streams.value(of: conversation.stream, otherwise: state.stream)
        let mark = try marks.value(of: conversation) { [state] in try state.mark(of: $0.me, in: $0.stream) }
        // Beyond what others wrote there is nothing to mark: such a mark would say nothing new and only grow the log.
        let target = min(upTo, stream.lastMessage(notFrom: conversation.me))
        guard target > mark else { return .unchanged(max(mark, min(upTo, stream.lastMessage))) }
        let offset = try append(
            EventHeader(
                type: .messagesRead,
                payloadClass: .empty,
                actor: conversation.me,
                subject: conversation.subject,
                stream: conversation.stream,
                reference: target
            ),
            payload: []
        )
        marks.set(target, for: conversation, at: offset)
        return .stored(last: offset)
    }

    private static func conversation(of header: EventHeader) -> Command.Conversation {
        header.concernsRoom
            ? Command.Conversation(me: header.actor, room: header.subject)
            : Command.Conversation(me: header.actor, peer: header.subject)
    }

    // MARK: Accounts

    private func account(named name: AccountName) throws -> AccountID? {
        if let claimed = claims[name] { return claimed }
        return try findAccount(name)
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

    // MARK: Rooms

    private mutating func createRoom(
        _ room: RoomID,
        creator: AccountID,
        name: String,
        members: [AccountID]
    ) throws -> Outcome {
        var seen: Set<AccountID> = [creator]
        let others = members.filter { seen.insert($0).inserted }
        guard others.count < limits.roomMembers else { throw Refusal.tooManyMembers }
        for account in [creator] + others {
            guard try roomCounts.value(of: account, otherwise: state.roomCount) < limits.userRooms else {
                throw Refusal.tooManyRooms
            }
            // Asked now, so that a view that is away refuses the whole command and not its second half.
            _ = try isMember(account, of: room)
        }
        let offset = try append(
            EventHeader(type: .roomCreated, payloadClass: .content, actor: creator, subject: room, stream: room),
            payload: try EventPayload.roomCreated(name: name).encode()
        )
        rooms.set(RoomState(owner: creator, memberCount: 0), for: room, at: offset)
        var last = offset
        for account in [creator] + others {
            last = try changeMembership(of: account, in: room, by: creator, joins: true)
        }
        return .stored(last: last)
    }

    private mutating func addMember(_ account: AccountID, to room: RoomID, by actor: AccountID) throws -> Outcome {
        try requireMember(actor, of: room)
        guard !(try isMember(account, of: room)) else { return .unchanged(0) }
        guard let state = try roomState(room), state.memberCount < limits.roomMembers else {
            throw Refusal.tooManyMembers
        }
        guard try roomCounts.value(of: account, otherwise: self.state.roomCount) < limits.userRooms else {
            throw Refusal.tooManyRooms
        }
        return .stored(last: try changeMembership(of: account, in: room, by: actor, joins: true))
    }

    private mutating func removeMember(_ account: AccountID, from room: RoomID, by actor: AccountID) throws -> Outcome {
        try requireMember(actor, of: room)
        guard let before = try roomState(room) else { throw Refusal.noSuchRoom }
        guard account == actor || before.owner == actor else { throw Refusal.notAllowed }
        guard try isMember(account, of: room) else { return .unchanged(0) }
        let heir = before.owner == account ? try eldest(of: room, besides: account) : nil
        var last = try changeMembership(of: account, in: room, by: actor, joins: false)
        if let heir {
            last = try append(
                EventHeader(type: .ownerChanged, payloadClass: .empty, actor: actor, subject: heir, stream: room),
                payload: []
            )
            rooms.set(RoomState(owner: heir, memberCount: before.memberCount - 1), for: room, at: last)
        }
        return .stored(last: last)
    }

    private mutating func changeMembership(
        of account: AccountID,
        in room: RoomID,
        by actor: AccountID,
        joins: Bool
    ) throws -> Offset {
        var state = try roomState(room)
        let count = try roomCounts.value(of: account, otherwise: self.state.roomCount)
        let offset = try append(
            EventHeader(
                type: joins ? .memberAdded : .memberRemoved,
                payloadClass: .empty,
                actor: actor,
                subject: account,
                stream: room
            ),
            payload: []
        )
        state?.memberCount += joins ? 1 : -1
        rooms.set(state, for: room, at: offset)
        roomCounts.set(count + (joins ? 1 : -1), for: account, at: offset)
        memberships.set(joins, for: Membership(room: room, account: account), at: offset)
        return offset
    }

    /// Who has been a member longest, `account` apart.
    private mutating func eldest(of room: RoomID, besides account: AccountID) throws -> AccountID? {
        var seniors: [AccountID] = []
        let asOf = try state.membersBySeniority(of: room) { senior in
            seniors.append(senior)
            return seniors.count <= limits.roomMembers
        }
        // Who came or went after the view's checkpoint, and when.
        var changed: [AccountID: Offset] = [:]
        var joined: [(account: AccountID, at: Offset)] = []
        memberships.changed(after: asOf) { membership, isMember, offset in
            guard membership.room == room else { return }
            changed[membership.account] = offset
            if isMember { joined.append((membership.account, offset)) }
        }
        if let senior = seniors.first(where: { $0 != account && changed[$0] == nil }) { return senior }
        return joined.filter { $0.account != account }.min { $0.at < $1.at }?.account
    }

    private mutating func roomState(_ room: RoomID) throws -> RoomState? {
        try rooms.value(of: room, otherwise: state.room)
    }

    private mutating func isMember(_ account: AccountID, of room: RoomID) throws -> Bool {
        try memberships.value(of: Membership(room: room, account: account), otherwise: askMembership)
    }

    private func askMembership(_ membership: Membership) throws -> Answer<Bool> {
        try state.isMember(membership.account, of: membership.room)
    }

    private mutating func requireMember(_ account: AccountID, of room: RoomID) throws {
        guard try isMember(account, of: room) else {
            throw try roomState(room) == nil ? Refusal.noSuchRoom : Refusal.notMember
        }
    }

    // MARK: Appending

    private mutating func append(_ header: EventHeader, payload: [UInt8]) throws -> Offset {
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

/// What the writer enforces.
package struct DecisionLimits: Sendable {
    /// The most messages in a row without an answer in a direct conversation; 0: any number.
    package var unanswered: Int
    /// The most members of a room.
    package var roomMembers: Int
    /// The most rooms of an account.
    package var userRooms: Int

    package init(unanswered: Int = 0, roomMembers: Int = 100_000, userRooms: Int = 10_000) {
        self.unanswered = unanswered
        self.roomMembers = roomMembers
        self.userRooms = userRooms
    }
}
