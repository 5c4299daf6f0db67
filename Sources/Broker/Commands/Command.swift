/// What somebody wants to happen.
///
/// The writer decides on it in the order of arrival.
package enum Command: Sendable {
    /// Lets a name be used without registration; answers with its account, whoever it belongs to.
    case admitGuest(AccountName)
    /// Makes an account, or, with `adoptsGuest`, gives a guest's name and history to it.
    case register(EventPayload.UserRegistered, adoptsGuest: Bool)
    case recordLogin(AccountID, address: String, port: UInt32)
    case recordFailedLogin(AccountID, address: String)
    case send(Message)
    /// Marks what others wrote in a stream as read up to `upTo`, or to the newest if that is greater.
    case markRead(Conversation, upTo: Offset)
    /// Gives one's own message another content.
    case edit(Edit)
    /// Takes one's own message, the event at `target`, out of its conversation.
    ///
    /// Doing it again changes nothing and succeeds.
    case delete(Conversation, target: Offset)
    /// Makes a room with `members` besides its creator, in that order.
    case createRoom(RoomID, creator: AccountID, name: String, members: [AccountID])
    case addMember(AccountID, to: RoomID, by: AccountID)
    case removeMember(AccountID, from: RoomID, by: AccountID)
    /// Erases payloads from the log.
    case redact(Redaction)
    /// Takes an account's name from it; what it has left in the log is to be redacted afterwards.
    ///
    /// ``Broker/eraseUser(_:reason:by:)`` does both. Doing it again changes nothing and succeeds.
    case eraseUser(UserErasure)
    /// Says what views held at an offset.
    case attest([EventPayload.AttestedView], at: Offset)
    /// Says that an auditor has read content, and what was asked for.
    case recordAuditorRead(AccountID, request: String)

    /// Somebody's side of a direct conversation or of a room.
    package struct Conversation: Hashable, Sendable {
        package var me: AccountID
        /// The peer, or the room.
        package var subject: Identifier
        package var stream: StreamID

        /// The direct conversation of `me` and `peer`.
        package init(me: AccountID, peer: AccountID) {
            self.me = me
            subject = peer
            stream = .conversation(me, peer)
        }

        /// A room, as `me` sees it.
        package init(me: AccountID, room: RoomID) {
            self.me = me
            subject = room
            stream = room
        }

        /// The direct conversation of `me` and `peer`, whose stream is known already.
        package init(direct stream: StreamID, me: AccountID, peer: AccountID) {
            self.me = me
            subject = peer
            self.stream = stream
        }

        package var isRoom: Bool { subject == stream }
    }

    /// A message to send.
    package struct Message: Sendable {
        package var conversation: Conversation
        /// Made by ``MessagePayload/encode(content:id:)``.
        package var payload: [UInt8]
        /// The hash of the client's own message id (``Identifier/init(hashingMessageID:)``); nil if it gave none.
        package var idHash: Identifier?

        package init(conversation: Conversation, payload: [UInt8], idHash: Identifier? = nil) {
            self.conversation = conversation
            self.payload = payload
            self.idHash = idHash
        }
    }

    /// Payloads to erase.
    package struct Redaction: Sendable {
        /// The events, all or none of them.
        ///
        /// What is redacted already stays so. An account's registrations may be among them once the account is erased,
        /// because its name would stay behind otherwise.
        package var offsets: [Offset]
        /// Why; it stays in the log.
        package var reason: String
        /// ``Identifier/none`` for the operator.
        package var actor: AccountID

        package init(offsets: [Offset], reason: String, actor: AccountID) {
            self.offsets = offsets
            self.reason = reason
            self.actor = actor
        }
    }

    /// An account that is to go.
    package struct UserErasure: Sendable {
        package var account: AccountID
        /// All that the account goes by (``EventLog/names(of:)``).
        package var names: [AccountName]
        /// Why; it stays in the log.
        package var reason: String
        /// ``Identifier/none`` for the operator.
        package var actor: AccountID

        package init(account: AccountID, names: [AccountName], reason: String, actor: AccountID) {
            self.account = account
            self.names = names
            self.reason = reason
            self.actor = actor
        }
    }

    /// Erases the payload of one event.
    package static func redact(_ offset: Offset, reason: String, by actor: AccountID) -> Command {
        .redact(Redaction(offsets: [offset], reason: reason, actor: actor))
    }

    /// Another content for a message.
    package struct Edit: Sendable {
        package var conversation: Conversation
        /// The MessageSent: of this conversation, by ``Conversation/me``, and not deleted.
        package var target: Offset
        /// Made by ``MessagePayload/encode(content:id:)`` without an id.
        package var payload: [UInt8]

        package init(conversation: Conversation, target: Offset, payload: [UInt8]) {
            self.conversation = conversation
            self.target = target
            self.payload = payload
        }
    }
}
