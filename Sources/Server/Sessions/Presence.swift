import Broker
import Synchronization

/// Who has a socket open that receives what: asked for 50002 / 50003, for `online` and by who watches, from every event
/// loop.
///
/// Counts sockets, so that the first to close doesn't take the others' presence with it. Lock order: taken last.
final class Presence: Sendable {
    /// What a change of presence is about.
    enum Subject: Hashable {
        /// The session sockets of an account.
        case account(AccountID)
        /// The conversation sockets of a direct conversation, or what receives a room.
        case stream(StreamID)

        /// All whose changes change who is online in `conversation`.
        static func all(of conversation: Command.Conversation) -> Set<Subject> {
            guard !conversation.isRoom else { return [.stream(conversation.stream)] }
            return [.stream(conversation.stream), .account(conversation.me), .account(conversation.subject)]
        }
    }

    private struct State {
        /// Conversation sockets, by whose they are and the conversation.
        var conversations: [Command.Conversation: Int] = [:]
        /// Session sockets, which receive every direct message of theirs.
        var sessions: [AccountID: Int] = [:]
        /// Sockets that receive a room, by member.
        var rooms: [RoomID: [AccountID: Int]] = [:]
        /// The loops on which somebody watches.
        var watchers: [Subject: Set<Int>] = [:]

        func loops(watching subject: Subject, if isChange: Bool) -> Set<Int> {
            // Most of the time nobody watches anything.
            isChange && !watchers.isEmpty ? watchers[subject] ?? [] : []
        }
    }

    private let state = Mutex(State())
    /// Told after a change, with the loop that watches it.
    private let changed: @Sendable (Int, Subject) -> Void

    /// - Parameter changed: Called on any thread, for each loop that watches what has changed.
    init(changed: @escaping @Sendable (Int, Subject) -> Void = { _, _ in }) { self.changed = changed }

    func enter(_ conversation: Command.Conversation) {
        change(.stream(conversation.stream)) { Self.increment(conversation, in: &$0.conversations) }
    }

    func leave(_ conversation: Command.Conversation) {
        change(.stream(conversation.stream)) { Self.decrement(conversation, in: &$0.conversations) }
    }

    func enterSession(_ account: AccountID) {
        change(.account(account)) { Self.increment(account, in: &$0.sessions) }
    }

    func leaveSession(_ account: AccountID) {
        change(.account(account)) { Self.decrement(account, in: &$0.sessions) }
    }

    func enter(_ room: RoomID, _ account: AccountID) {
        change(.stream(room)) { Self.increment(account, in: &$0.rooms[room, default: [:]]) }
    }

    func leave(_ room: RoomID, _ account: AccountID) {
        change(.stream(room)) { state in
            guard var members = state.rooms.removeValue(forKey: room) else { return false }
            let isLast = Self.decrement(account, in: &members)
            if !members.isEmpty { state.rooms[room] = members }
            return isLast
        }
    }

    /// Whether anybody but the sender has a socket that receives what is sent in `conversation`.
    func isReceiving(_ conversation: Command.Conversation) -> Bool {
        state.withLock { state in
            if conversation.isRoom {
                let members = state.rooms[conversation.stream] ?? [:]
                return members.count > (members[conversation.me] == nil ? 0 : 1)
            }
            return Self.isOnline(conversation.mirrored, state)
        }
    }

    /// How many distinct accounts have a socket that receives `room`.
    func onlineCount(in room: RoomID) -> Int { state.withLock { $0.rooms[room]?.count ?? 0 } }

    /// The accounts that have a socket which receives `conversation`, in no particular order.
    func online(in conversation: Command.Conversation) -> [AccountID] {
        state.withLock { state in
            if conversation.isRoom { return (state.rooms[conversation.stream] ?? [:]).map(\.key) }
            let sides = conversation.mirrored == conversation ? [conversation] : [conversation, conversation.mirrored]
            return sides.filter { Self.isOnline($0, state) }.map(\.me)
        }
    }

    // MARK: Watching

    /// From now on `loop` is told of changes of `subject`.
    func watch(_ subject: Subject, on loop: Int) {
        state.withLock { _ = $0.watchers[subject, default: []].insert(loop) }
    }

    func unwatch(_ subject: Subject, on loop: Int) {
        state.withLock { state in
            guard var loops = state.watchers.removeValue(forKey: subject) else { return }
            loops.remove(loop)
            if !loops.isEmpty { state.watchers[subject] = loops }
        }
    }

    /// Makes a change and tells who watches, if somebody came who wasn't there or the last socket of somebody went.
    private func change(_ subject: Subject, _ body: (inout State) -> Bool) {
        let loops = state.withLock { state in
            let isChange = body(&state)
            return state.loops(watching: subject, if: isChange)
        }
        for loop in loops { changed(loop, subject) }
    }

    private static func isOnline(_ side: Command.Conversation, _ state: State) -> Bool {
        state.conversations[side] != nil || state.sessions[side.me] != nil
    }

    /// - Returns: Whether it is the first.
    private static func increment<Key: Hashable>(_ key: Key, in counts: inout [Key: Int]) -> Bool {
        let count = counts[key] ?? 0
        counts[key] = count + 1
        return count == 0
    }

    /// - Returns: Whether it was the last.
    private static func decrement<Key: Hashable>(_ key: Key, in counts: inout [Key: Int]) -> Bool {
        guard let count = counts[key] else { return false }
        counts[key] = count > 1 ? count - 1 : nil
        return count == 1
    }
}

extension Command.Conversation {
    /// The other side of a direct conversation; a room's is itself.
    var mirrored: Command.Conversation {
        guard !isRoom else { return self }
        return Command.Conversation(direct: stream, me: subject, peer: me)
    }
}
