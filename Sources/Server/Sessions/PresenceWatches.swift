import Broker
import NIOCore

/// Who of one event loop's sockets watches which conversations, and what they were shown last.
///
/// A change is looked at only after it has settled, so that somebody who connects again at once was never away.
/// Confined to its loop.
final class PresenceWatches {
    /// Who is online, as it is shown: by name in small rooms and direct conversations, else by number.
    enum Shown: Equatable {
        /// Escaped names, sorted by their bytes.
        case names([[UInt8]])
        case count(Int)
    }

    private struct Watcher {
        var session: Session
        var shown: Shown
    }

    private struct Watch {
        /// Some side of it.
        var conversation: Command.Conversation
        var watchers: [ObjectIdentifier: Watcher] = [:]
        var isSettling = false
    }

    /// Rooms of more members are watched by number.
    static let namedMembers = 100

    private let services: SessionServices
    private let loop: any EventLoop
    private let index: Int
    private var watches: [StreamID: Watch] = [:]
    private var streams: [Presence.Subject: Set<StreamID>] = [:]
    /// The names of large rooms, which many ask for at once, as they were a moment ago.
    private var largeRooms: [StreamID: (at: NIODeadline, names: [[UInt8]])] = [:]

    init(services: SessionServices, loop: any EventLoop, index: Int) {
        self.services = services
        self.loop = loop
        self.index = index
    }

    // MARK: Watchers

    func add(_ session: Session, _ conversation: Command.Conversation) {
        let stream = conversation.stream
        guard !session.watched.contains(stream) else { return }
        session.watched.insert(stream)
        if watches[stream] == nil {
            watches[stream] = Watch(conversation: conversation)
            for subject in Presence.Subject.all(of: conversation) {
                if streams[subject] == nil { services.presence.watch(subject, on: index) }
                streams[subject, default: []].insert(stream)
            }
        }
        watches[stream]?.watchers[ObjectIdentifier(session)] = Watcher(session: session, shown: shown(conversation))
    }

    func remove(_ session: Session, _ stream: StreamID) {
        guard session.watched.remove(stream) != nil, var watch = watches.removeValue(forKey: stream) else { return }
        watch.watchers[ObjectIdentifier(session)] = nil
        guard watch.watchers.isEmpty else {
            watches[stream] = watch
            return
        }
        for subject in Presence.Subject.all(of: watch.conversation) {
            streams[subject]?.remove(stream)
            if streams[subject]?.isEmpty == true {
                streams[subject] = nil
                services.presence.unwatch(subject, on: index)
            }
        }
    }

    /// Looks the names of large rooms up again, of which one may be erased.
    func forgetNames() { largeRooms.removeAll() }

    // MARK: Changes

    /// Somebody came or went; looked at when it has settled.
    func changed(_ subject: Presence.Subject) {
        for stream in streams[subject] ?? [] { settle(stream) }
    }

    /// Looks at `streams` again, for a socket that could not be told.
    func settle(_ streams: Set<StreamID>) { for stream in streams { settle(stream) } }

    private func settle(_ stream: StreamID) {
        guard let watch = watches[stream], !watch.isSettling else { return }
        watches[stream]?.isSettling = true
        var wait = TimeAmount.milliseconds(Int64(services.settings.server.presenceSettleMilliseconds))
        // A large room hears of it once a second at most.
        if isLarge(watch.conversation) { wait = max(wait, .seconds(1)) }
        loop.assumeIsolated().scheduleTask(in: wait) { [weak self] in self?.settled(stream) }
    }

    private func settled(_ stream: StreamID) {
        guard let watch = watches[stream] else { return }
        watches[stream]?.isSettling = false
        let now = shown(watch.conversation)
        let room = watch.conversation.isRoom ? stream : nil
        // The same bytes for everybody in a room; in a direct conversation each side is told of the other.
        let shared = room.map { frame(now, room: $0, peer: nil) }
        for (key, watcher) in watch.watchers where watcher.shown != now {
            let session = watcher.session
            if let room, !session.cursor.isLagging, !session.subscribed.contains(room) {
                remove(session, room)
            } else if session.push(shared ?? frame(now, room: nil, peer: peer(of: session, in: watch.conversation))) {
                watches[stream]?.watchers[key]?.shown = now
            } else {
                // It is told when it has caught up.
                session.missedPresence = true
            }
        }
    }

    private func peer(of session: Session, in conversation: Command.Conversation) -> AccountID {
        conversation.me == session.me ? conversation.subject : conversation.me
    }

    // MARK: What is shown

    func shown(_ conversation: Command.Conversation) -> Shown {
        if isLarge(conversation) { return .count(services.presence.onlineCount(in: conversation.stream)) }
        return .names(names(in: conversation))
    }

    /// Who is online, sorted; in a large room as of a second ago at most.
    func names(in conversation: Command.Conversation) -> [[UInt8]] {
        guard isLarge(conversation) else { return sortedNames(in: conversation) }
        let now = NIODeadline.now()
        if let known = largeRooms[conversation.stream], now - known.at < .seconds(1) { return known.names }
        largeRooms = largeRooms.filter { now - $0.value.at < .seconds(1) }
        let names = sortedNames(in: conversation)
        largeRooms[conversation.stream] = (now, names)
        return names
    }

    private func sortedNames(in conversation: Command.Conversation) -> [[UInt8]] {
        services.presence.online(in: conversation)
            .map { services.directory.escapedName(of: $0) }
            .sorted { $0.lexicographicallyPrecedes($1) }
    }

    /// Whether a room has many members, or nobody can tell.
    private func isLarge(_ conversation: Command.Conversation) -> Bool {
        guard conversation.isRoom else { return false }
        let count = services.memberCount(of: conversation.stream)
        return count == 0 || count > Self.namedMembers
    }

    private func frame(_ shown: Shown, room: RoomID?, peer: AccountID?) -> ByteBuffer {
        var json = ByteBuffer()
        json.writeStaticString("{\"from\":\"Server\",\"code\":")
        json.writeDecimal(Outbound.Code.presence.rawValue)
        json.writeStaticString(",\"content\":")
        let count: Int
        switch shown {
        case .names(let names):
            json.writeNames(names)
            count = names.count
        case .count(let number):
            json.writeDecimal(number)
            count = number
        }
        json.writeStaticString(",\"event\":\"presence\",\"online\":")
        json.writeDecimal(count)
        json.writePlace(room: room, recipient: peer.map { services.directory.escapedName(of: $0) } ?? [])
        json.writeStaticString("}")
        return json.textFrame
    }
}

@available(*, unavailable)
extension PresenceWatches: Sendable {}

extension ByteBuffer {
    /// Appends escaped names as an array of strings.
    mutating func writeNames(_ names: some Sequence<[UInt8]>) {
        writeStaticString("[")
        for (index, name) in names.enumerated() {
            writeStaticString(index == 0 ? "\"" : ",\"")
            writeBytes(name)
            writeStaticString("\"")
        }
        writeStaticString("]")
    }

    /// Appends `,"room":"…"` or `,"to":"…"`.
    mutating func writePlace(room: RoomID?, recipient: [UInt8]) {
        if let room {
            writeStaticString(",\"room\":\"")
            writeString(room.uuidText)
        } else {
            writeStaticString(",\"to\":\"")
            writeBytes(recipient)
        }
        writeStaticString("\"")
    }
}
