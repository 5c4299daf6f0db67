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

    private struct Watch {
        /// Some side of it.
        var conversation: Command.Conversation
        var watchers: [(session: Session, shown: Shown)] = []
        var isSettling = false
    }

    /// Rooms of more members are watched by number.
    static let namedMembers = 100

    private let services: SessionServices
    private let loop: any EventLoop
    private let index: Int
    private var watches: [StreamID: Watch] = [:]
    private var streams: [Presence.Subject: Set<StreamID>] = [:]

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
        watches[stream]?.watchers.append((session, shown(conversation)))
    }

    func remove(_ session: Session, _ stream: StreamID) {
        guard session.watched.remove(stream) != nil, var watch = watches.removeValue(forKey: stream) else { return }
        watch.watchers.removeAll { $0.session === session }
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

    // MARK: Changes

    /// Somebody came or went; looked at when it has settled.
    func changed(_ subject: Presence.Subject) {
        for stream in streams[subject] ?? [] { settle(stream) }
    }

    private func settle(_ stream: StreamID, isRepeated: Bool = false) {
        guard let watch = watches[stream], !watch.isSettling else { return }
        watches[stream]?.isSettling = true
        var wait = TimeAmount.milliseconds(Int64(services.settings.server.presenceSettleMilliseconds))
        // A large room hears of it once a second at most, and a slow socket is tried again no more often.
        if isRepeated || isLarge(watch.conversation) { wait = max(wait, .seconds(1)) }
        loop.assumeIsolated().scheduleTask(in: wait) { [weak self] in self?.settled(stream) }
    }

    private func settled(_ stream: StreamID) {
        guard var watch = watches[stream] else { return }
        watch.isSettling = false
        let now = shown(watch.conversation)
        var isBehind = false
        for index in watch.watchers.indices where watch.watchers[index].shown != now {
            let session = watch.watchers[index].session
            if session.push(Self.frame(now, for: session, in: watch.conversation, services.directory)) {
                watch.watchers[index].shown = now
            } else {
                isBehind = true
            }
        }
        watches[stream] = watch
        // Who can't take it now is told when it has caught up.
        if isBehind { settle(stream, isRepeated: true) }
    }

    // MARK: What is shown

    func shown(_ conversation: Command.Conversation) -> Shown {
        if isLarge(conversation) { return .count(services.presence.onlineCount(in: conversation.stream)) }
        return .names(names(in: conversation))
    }

    func names(in conversation: Command.Conversation) -> [[UInt8]] {
        services.presence.online(in: conversation)
            .map { services.directory.escapedName(of: $0) }
            .sorted { $0.lexicographicallyPrecedes($1) }
    }

    private func isLarge(_ conversation: Command.Conversation) -> Bool {
        conversation.isRoom && services.memberCount(of: conversation.stream) > Self.namedMembers
    }

    private static func frame(
        _ shown: Shown,
        for session: Session,
        in conversation: Command.Conversation,
        _ directory: AccountDirectory
    ) -> ByteBuffer {
        let peer = conversation.me == session.me ? conversation.subject : conversation.me
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
        json.writePlace(
            room: conversation.isRoom ? conversation.stream : nil,
            recipient: directory.escapedName(of: peer)
        )
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
