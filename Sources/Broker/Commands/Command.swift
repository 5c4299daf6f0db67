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
