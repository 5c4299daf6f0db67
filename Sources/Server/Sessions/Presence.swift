import Broker
import Synchronization

/// Who has a socket open that receives what: asked for 50002 / 50003 and for `online`, from every event loop.
///
/// Counts sockets, so that the first to close doesn't take the others' presence with it. Lock order: taken last.
final class Presence: Sendable {
    private struct State {
        /// Conversation sockets, by whose they are and the conversation.
        var conversations: [Command.Conversation: Int] = [:]
        /// Session sockets, which receive every direct message of theirs.
        var sessions: [AccountID: Int] = [:]
        /// Sockets that receive a room, by member.
        var rooms: [RoomID: [AccountID: Int]] = [:]
    }

    private let state = Mutex(State())

    func enter(_ conversation: Command.Conversation) {
        state.withLock { $0.conversations[conversation, default: 0] += 1 }
    }

    func leave(_ conversation: Command.Conversation) {
        state.withLock { Self.decrement(conversation, in: &$0.conversations) }
    }

    func enterSession(_ account: AccountID) { state.withLock { $0.sessions[account, default: 0] += 1 } }

    func leaveSession(_ account: AccountID) { state.withLock { Self.decrement(account, in: &$0.sessions) } }

    func enter(_ room: RoomID, _ account: AccountID) {
        state.withLock { $0.rooms[room, default: [:]][account, default: 0] += 1 }
    }

    func leave(_ room: RoomID, _ account: AccountID) {
        state.withLock {
            guard var members = $0.rooms.removeValue(forKey: room) else { return }
            Self.decrement(account, in: &members)
            if !members.isEmpty { $0.rooms[room] = members }
        }
    }

    /// Whether anybody but the sender has a socket that receives what is sent in `conversation`.
    func isReceiving(_ conversation: Command.Conversation) -> Bool {
        state.withLock { state in
            if conversation.isRoom {
                let members = state.rooms[conversation.stream] ?? [:]
                return members.count > (members[conversation.me] == nil ? 0 : 1)
            }
            var mirrored = conversation
            mirrored.me = conversation.subject
            mirrored.subject = conversation.me
            return state.conversations[mirrored] != nil || state.sessions[conversation.subject] != nil
        }
    }

    /// How many distinct accounts have a socket that receives `room`.
    func onlineCount(in room: RoomID) -> Int { state.withLock { $0.rooms[room]?.count ?? 0 } }

    private static func decrement<Key: Hashable>(_ key: Key, in counts: inout [Key: Int]) {
        guard let count = counts[key] else { return }
        counts[key] = count > 1 ? count - 1 : nil
    }
}
