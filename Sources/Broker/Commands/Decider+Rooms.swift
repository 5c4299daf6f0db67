// Who may make a room, join one, leave one, and who owns it then.

extension Decider {
    mutating func createRoom(
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

    mutating func addMember(_ account: AccountID, to room: RoomID, by actor: AccountID) throws -> Outcome {
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

    mutating func removeMember(_ account: AccountID, from room: RoomID, by actor: AccountID) throws -> Outcome {
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

    mutating func roomState(_ room: RoomID) throws -> RoomState? {
        try rooms.value(of: room, otherwise: state.room)
    }

    mutating func isMember(_ account: AccountID, of room: RoomID) throws -> Bool {
        // Of `state` alone: a closure that has the decider makes a copy of all that it remembers, for each message.
        let state = state
        return try memberships.value(
            of: Membership(room: room, account: account),
            otherwise: { try state.isMember($0.account, of: $0.room) }
        )
    }

    mutating func requireMember(_ account: AccountID, of room: RoomID) throws {
        guard try isMember(account, of: room) else {
            throw try roomState(room) == nil ? Refusal.noSuchRoom : Refusal.notMember
        }
    }
}
