import Broker

/// A past in which nothing has happened: enough for guests.
struct NothingKnown: DecisionState {
    func stream(_ id: StreamID) -> Answer<StreamState> { Answer(StreamState(), asOf: 0) }
    func mark(of reader: AccountID, in stream: StreamID) -> Answer<Offset> { Answer(0, asOf: 0) }
    func room(_ id: RoomID) -> Answer<RoomState?> { Answer(nil, asOf: 0) }
    func isMember(_ account: AccountID, of room: RoomID) -> Answer<Bool> { Answer(false, asOf: 0) }
    func roomCount(of account: AccountID) -> Answer<Int> { Answer(0, asOf: 0) }
    func membersBySeniority(of room: RoomID, _ body: (AccountID) -> Bool) -> Offset { 0 }
    func message(withID hash: Identifier, from sender: AccountID) -> Answer<Offset?> { Answer(nil, asOf: 0) }
    func isDeleted(_ message: Offset, in stream: StreamID) -> Answer<Bool> { Answer(false, asOf: 0) }
    func isGuest(_ account: AccountID) -> Answer<Bool> { Answer(false, asOf: 0) }
    func erasedAccounts() -> Answer<Set<AccountID>> { Answer([], asOf: 0) }
    var conversationsProjected: Offset { 0 }
    var roomsProjected: Offset { 0 }
    var accountsProjected: Offset { 0 }
}
