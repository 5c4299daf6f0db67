@testable import Broker

/// Headers of what happens between a few people in a few rooms, some of which no writer would let through.
enum Happening {
    static let people = (1...4 as ClosedRange<UInt8>).map(Sample.id)
    static let rooms = (0xa0...0xa1 as ClosedRange<UInt8>).map(Sample.id)

    /// Where a message is: with a peer, or in a room.
    enum Place: Equatable, Sendable {
        case with(AccountID)
        case room(RoomID)
    }

    static func sent(_ sender: AccountID, _ place: Place) -> EventHeader { header(.messageSent, sender, place) }

    static func read(_ upTo: Offset, _ reader: AccountID, _ place: Place) -> EventHeader {
        header(.messagesRead, reader, place, reference: upTo)
    }

    static func edited(_ target: Offset, _ author: AccountID, _ place: Place) -> EventHeader {
        header(.messageEdited, author, place, reference: target)
    }

    static func deleted(_ target: Offset, _ author: AccountID, _ place: Place) -> EventHeader {
        header(.messageDeleted, author, place, reference: target)
    }

    static func made(_ room: RoomID, by owner: AccountID) -> EventHeader { header(.roomCreated, owner, .room(room)) }

    static func joined(_ member: AccountID, _ room: RoomID) -> EventHeader { membership(.memberAdded, member, room) }

    static func left(_ member: AccountID, _ room: RoomID) -> EventHeader { membership(.memberRemoved, member, room) }

    static func owned(_ room: RoomID, by owner: AccountID) -> EventHeader { membership(.ownerChanged, owner, room) }

    static func login(_ account: AccountID) -> EventHeader { membership(.userLoggedIn, account, account) }

    private static func membership(_ type: EventType, _ subject: AccountID, _ stream: StreamID) -> EventHeader {
        EventHeader(type: type, payloadClass: .empty, actor: subject, subject: subject, stream: stream)
    }

    private static func header(
        _ type: EventType,
        _ actor: AccountID,
        _ place: Place,
        reference: Offset = 0
    ) -> EventHeader {
        let (subject, stream) =
            switch place {
            case .with(let peer): (peer, StreamID.conversation(actor, peer))
            case .room(let room): (room, room)
            }
        return EventHeader(
            type: type,
            payloadClass: .empty,
            actor: actor,
            subject: subject,
            stream: stream,
            reference: reference
        )
    }
}

/// Random happenings.
struct HappeningSource {
    private var messages: [(offset: Offset, author: AccountID, place: Happening.Place)] = []

    mutating func next(at offset: Offset, _ random: inout SplitMix) -> EventHeader {
        let me = Self.pick(Happening.people, &random)
        let room = Self.pick(Happening.rooms, &random)
        let peer = Self.pick(Happening.people, &random)
        let place: Happening.Place = Bool.random(using: &random) ? .room(room) : .with(peer)
        let anywhere = Offset.random(in: 0..<offset + 9, using: &random)
        // Mostly a message that is there, of whoever wrote it; now and then anything.
        let chosen =
            Int.random(in: 0..<8, using: &random) == 0
            ? nil : messages.suffix(24).randomElement(using: &random)
        let target = chosen ?? (anywhere, me, place)
        switch Int.random(in: 0..<24, using: &random) {
        case 0..<9:
            messages.append((offset, me, place))
            return Happening.sent(me, place)
        case 9..<12: return Happening.read(anywhere, me, place)
        case 12..<15: return Happening.edited(target.offset, target.author, target.place)
        case 15..<17: return Happening.deleted(target.offset, target.author, target.place)
        case 17: return Happening.made(room, by: me)
        case 18..<20: return Happening.joined(me, room)
        case 20: return Happening.left(me, room)
        case 21: return Happening.owned(room, by: me)
        default: return Happening.login(me)
        }
    }

    private static func pick(_ ids: [Identifier], _ random: inout SplitMix) -> Identifier {
        ids.randomElement(using: &random) ?? ids[0]
    }
}
