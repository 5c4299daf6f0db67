package import Cryptography

/// What the writer must know of the past in order to decide.
///
/// The views know it as of their checkpoints; what came after that the writer keeps itself (``WriterMemory``).
///
/// Every call may throw when the view behind it has failed; the command is then refused as unavailable.
package protocol DecisionState: Sendable {
    /// Revision and last messages of a stream; all zero for one that nothing has happened in.
    func stream(_ id: StreamID) throws -> Answer<StreamState>
    /// The offset up to which `reader` has read `stream`; 0 for not at all.
    func mark(of reader: AccountID, in stream: StreamID) throws -> Answer<Offset>
    /// Nil if there is no such room.
    func room(_ id: RoomID) throws -> Answer<RoomState?>
    func isMember(_ account: AccountID, of room: RoomID) throws -> Answer<Bool>
    /// How many rooms `account` is in.
    func roomCount(of account: AccountID) throws -> Answer<Int>
    /// Hands the members of `room` to `body`, the one who joined first first, until it returns false.
    func membersBySeniority(of room: RoomID, _ body: (AccountID) -> Bool) throws -> Offset
    /// The offset of the message that `sender` sent with the id of that hash (``Identifier/init(hashingMessageID:)``).
    func message(withID hash: Identifier, from sender: AccountID) throws -> Answer<Offset?>
    /// Whether the message at that offset of `stream` is deleted; false as well for one that the view doesn't know yet.
    func isDeleted(_ message: Offset, in stream: StreamID) throws -> Answer<Bool>
    /// Whether `account` is a guest, that is, never registered.
    func isGuest(_ account: AccountID) throws -> Answer<Bool>
    /// The accounts that were erased; asked once, at a start.
    func erasedAccounts() throws -> Answer<Set<AccountID>>
    /// The checkpoint of the view that knows streams, marks, message ids and what is deleted.
    var conversationsProjected: Offset { get }
    /// The checkpoint of the view that knows rooms and members.
    var roomsProjected: Offset { get }
    /// The checkpoint of the view that knows accounts.
    var accountsProjected: Offset { get }
}

/// Something as of an offset: it reflects all events up to `asOf` and none after.
package struct Answer<Value> {
    package var value: Value
    package var asOf: Offset

    package init(_ value: Value, asOf: Offset) {
        self.value = value
        self.asOf = asOf
    }
}

extension Answer: Sendable where Value: Sendable {}

/// What the writer knows of a stream.
package struct StreamState: Equatable, Sendable {
    /// The revision of the last event; 0 when there is none.
    package var revision: UInt64 = 0
    /// The last message; 0 when there is none.
    package var lastMessage: Offset = 0
    /// Who sent it.
    package var lastSender: AccountID = .none
    /// The last message of anybody else; 0 when there is none.
    package var lastMessageOfAnother: Offset = 0
    /// How many messages `lastSender` has sent in a row.
    package var run: UInt64 = 0

    package init() {}

    /// The last message that `reader` didn't send; 0 when there is none.
    package func lastMessage(notFrom reader: AccountID) -> Offset {
        lastSender == reader ? lastMessageOfAnother : lastMessage
    }

    /// Takes in the event at `offset`, which belongs to this stream.
    package mutating func apply(_ header: EventHeader, at offset: Offset) {
        revision = header.revision
        guard header.type == .messageSent else { return }
        if header.actor == lastSender {
            run += 1
        } else {
            lastMessageOfAnother = lastMessage
            lastSender = header.actor
            run = 1
        }
        lastMessage = offset
    }
}

/// What the writer knows of a room.
package struct RoomState: Equatable, Sendable {
    package var owner: AccountID
    package var memberCount: Int

    package init(owner: AccountID, memberCount: Int) {
        self.owner = owner
        self.memberCount = memberCount
    }
}

extension Identifier {
    /// The first 16 bytes of SHA-256 over a client's own message id: what a repeated send is recognised by.
    package init(hashingMessageID id: Span<UInt8>, with hasher: borrowing SHA256 = SHA256()) {
        hasher.update(id)
        let words = hasher.finalize().first16Bytes
        self.init(high: words.0, low: words.1)
    }
}
