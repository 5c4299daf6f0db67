@testable import Broker

/// The same question answered the plain way: each message is looked at by itself, and all events for each.
struct UnreadModel {
    static let people = (1...4 as ClosedRange<UInt8>).map(Sample.id)
    static let rooms = (0xa0...0xa1 as ClosedRange<UInt8>).map(Sample.id)

    var events: [EventHeader] = []

    private var numbered: [(offset: Offset, header: EventHeader)] {
        events.enumerated().map { (Offset($0.offset + 1), $0.element) }
    }

    func streams(of account: AccountID) -> [UnreadStream] {
        let peers = Self.people.filter { peer in
            numbered.contains { _, header in
                header.type == .messageSent && header.stream == .conversation(account, peer)
            }
        }
        let direct = peers.map { stream(of: account, .conversation(account, $0), $0, isRoom: false, since: 0) }
        let rooms = Self.rooms.compactMap { room in
            joining(of: account, room).map { stream(of: account, room, room, isRoom: true, since: $0) }
        }
        return direct + rooms
    }

    private func stream(
        of account: AccountID,
        _ id: StreamID,
        _ subject: Identifier,
        isRoom: Bool,
        since joined: Offset
    ) -> UnreadStream {
        let inStream = numbered.filter { $0.header.stream == id }
        let messages = inStream.filter { $0.header.type == .messageSent }
        // Before the first message there is no conversation to be marked.
        let start = isRoom ? joined : messages.first?.offset ?? .max
        let marks = inStream.filter {
            $0.header.type == .messagesRead && $0.header.actor == account && $0.offset > start
        }
        let deletions = inStream.filter { $0.header.type == .messageDeleted }
        let unread = messages.filter { message in
            message.offset > joined && message.header.actor != account
                && !marks.contains { $0.offset > message.offset && $0.header.reference >= message.offset }
                && !deletions.contains { $0.offset > message.offset && $0.header.reference == message.offset }
        }
        return UnreadStream(
            stream: id,
            subject: subject,
            isRoom: isRoom,
            mark: marks.map { min($0.header.reference, $0.offset) }.max() ?? 0,
            joined: joined,
            unread: unread.map(\.offset)
        )
    }

    /// When `account` joined the room that it is in; nil if it isn't.
    private func joining(of account: AccountID, _ room: RoomID) -> Offset? {
        let changes = numbered.filter { $0.header.stream == room && $0.header.subject == account }
        let left = changes.last { $0.header.type == .memberRemoved }?.offset ?? 0
        return changes.first { $0.header.type == .memberAdded && $0.offset > left }?.offset
    }
}
