@testable import Broker

/// The same questions answered the plain way: each message and each member is looked at by itself, and all events for
/// each.
struct AsOfModel {
    var events: [EventHeader] = []

    /// A message as a history shows it.
    struct Shown: Equatable {
        var offset: Offset
        var textOffset: Offset
        var isRead: Bool
    }

    private typealias Numbered = (offset: Offset, header: EventHeader)

    private func all(_ stream: StreamID) -> [Numbered] {
        events.enumerated().map { (Offset($0.offset + 1), $0.element) }.filter { $0.1.stream == stream }
    }

    func history(of reader: AccountID, _ place: Happening.Place) -> [Shown] {
        switch place {
        case .with(let peer):
            let inStream = all(.conversation(reader, peer))
            return shown(inStream) { message in
                if reader == peer { return true }
                let other = message.header.actor == reader ? peer : reader
                return Self.marks(inStream, of: other).contains { $0 >= message.offset }
            }
        case .room(let room):
            let inStream = all(room)
            let joined = members(of: room).first { $0.account == reader }?.joined ?? 0
            return shown(inStream) { message in
                message.header.actor == reader || message.offset <= joined
                    || Self.marks(inStream, of: reader).contains { $0 >= message.offset }
            }
        }
    }

    private func shown(_ inStream: [Numbered], isRead: (Numbered) -> Bool) -> [Shown] {
        inStream.compactMap { message in
            guard message.header.type == .messageSent else { return nil }
            let changes = inStream.filter { $0.offset > message.offset && $0.header.reference == message.offset }
            guard !changes.contains(where: { $0.header.type == .messageDeleted }) else { return nil }
            let edit = changes.last { $0.header.type == .messageEdited }
            return Shown(
                offset: message.offset,
                textOffset: edit?.offset ?? message.offset,
                isRead: isRead(message)
            )
        }
    }

    private static func marks(_ inStream: [Numbered], of reader: AccountID) -> [Offset] {
        inStream.filter { $0.header.type == .messagesRead && $0.header.actor == reader }.map(\.header.reference)
    }

    func members(of room: RoomID) -> [MembersReckoning.Member] {
        Happening.people.compactMap { person in
            let changes = afterCreation(room).filter { $0.header.subject == person }
            let left = changes.last { $0.header.type == .memberRemoved }?.offset ?? 0
            return changes.first { $0.header.type == .memberAdded && $0.offset > left }
                .map { MembersReckoning.Member(account: person, joined: $0.offset) }
        }.sorted { $0.joined < $1.joined }
    }

    func owner(of room: RoomID) -> AccountID? {
        let changes = afterCreation(room)
        return changes.last { $0.header.type == .ownerChanged }?.header.subject ?? changes.first?.header.actor
    }

    private func afterCreation(_ room: RoomID) -> [Numbered] {
        Array(all(room).drop { $0.header.type != .roomCreated })
    }
}
