package import Broker

/// What the writer asks, answered by the views as of their checkpoints.
extension Views: DecisionState {
    package func stream(_ id: StreamID) throws -> Answer<StreamState> { try conversations.state(of: id) }

    package func mark(of reader: AccountID, in stream: StreamID) throws -> Answer<Offset> {
        try conversations.mark(of: reader, in: stream)
    }

    package func room(_ id: RoomID) throws -> Answer<RoomState?> {
        let answer = try rooms.room(id)
        let state = answer.value.map { RoomState(owner: $0.owner, memberCount: $0.memberCount) }
        return Answer(state, asOf: answer.asOf)
    }

    package func isMember(_ account: AccountID, of room: RoomID) throws -> Answer<Bool> {
        try rooms.isMember(account, of: room)
    }

    package func roomCount(of account: AccountID) throws -> Answer<Int> { try rooms.roomCount(of: account) }

    package func membersBySeniority(of room: RoomID, _ body: (AccountID) -> Bool) throws -> Offset {
        try rooms.forEachMember(of: room, body)
    }

    package func message(withID hash: Identifier, from sender: AccountID) throws -> Answer<Offset?> {
        try conversations.message(withID: hash, from: sender)
    }

    package func isDeleted(_ message: Offset, in stream: StreamID) throws -> Answer<Bool> {
        try conversations.isDeleted(message, in: stream)
    }

    package func isGuest(_ account: AccountID) throws -> Answer<Bool> {
        let answer = try users.account(account)
        return Answer(answer.value?.isGuest ?? false, asOf: answer.asOf)
    }

    package func erasedAccounts() throws -> Answer<Set<AccountID>> { try users.erasedAccounts() }

    package var conversationsProjected: Offset { conversations.view.projected }
    package var roomsProjected: Offset { rooms.view.projected }
    package var accountsProjected: Offset { users.view.projected }
}
