import Testing

@testable import Broker

/// Which messages are unread, case by case and against a model that looks at everything again for each message.
@Suite struct UnreadReckoningTests {
    private static let alice = Sample.id(1)
    private static let bob = Sample.id(2)
    private static let carol = Sample.id(3)
    private static let room = Sample.id(0xa0)

    private func reckon(_ account: AccountID, _ events: [EventHeader]) -> [UnreadStream] {
        var reckoning = UnreadReckoning(account: account)
        for (index, header) in events.enumerated() { reckoning.apply(header, at: Offset(index + 1)) }
        return reckoning.streams
    }

    /// What `account` hasn't read in a direct conversation with `peer`, or of a room.
    private func unread(_ account: AccountID, _ subject: Identifier, _ events: [EventHeader]) -> [Offset]? {
        reckon(account, events).first { $0.subject == subject }?.unread
    }

    @Test func `what the other wrote is unread, what oneself wrote isn't`() {
        let events: [EventHeader] = [
            .sent(Self.alice, to: Self.bob), .sent(Self.bob, to: Self.alice), .sent(Self.alice, to: Self.bob),
        ]
        let conversation = StreamID.conversation(Self.alice, Self.bob)
        let expected = UnreadStream(
            stream: conversation,
            subject: Self.alice,
            isRoom: false,
            mark: 0,
            joined: 0,
            unread: [1, 3]
        )
        #expect(reckon(Self.bob, events) == [expected])
        #expect(unread(Self.alice, Self.bob, events) == [2])
        #expect(reckon(Self.carol, events) == [])
    }

    @Test func `messages to oneself are never unread`() {
        let events = [EventHeader.sent(Self.alice, to: Self.alice), .sent(Self.alice, to: Self.alice)]
        #expect(unread(Self.alice, Self.alice, events) == [])
        #expect(unread(Self.alice, Self.alice, events + [.read(1, by: Self.alice, from: Self.alice)]) == [])
        #expect(reckon(Self.bob, events) == [])
    }

    @Test(
        arguments: [
            ([0], [2, 5], 0), ([1], [2, 5], 1), ([2], [5], 2), ([3], [5], 3), ([4], [5], 4), ([5], [], 5),
            // Past the mark itself it says nothing of what comes later.
            ([99], [], 6),
            // Twice, and out of order.
            ([2, 2], [5], 2), ([5, 2], [], 5), ([2, 5, 0], [], 5), ([4, 2, 3], [5], 4),
        ] as [([Offset], [Offset], Offset)]
    )
    func `a mark takes away what is at or before it, and only grows`(marks: [Offset], left: [Offset], mark: Offset) {
        let events: [EventHeader] = [
            .login(Self.alice), .sent(Self.alice, to: Self.bob), .sent(Self.bob, to: Self.alice), .login(Self.bob),
            .sent(Self.alice, to: Self.bob),
        ]
        let marked = events + marks.map { .read($0, by: Self.bob, from: Self.alice) }
        #expect(unread(Self.bob, Self.alice, marked) == left)
        #expect(reckon(Self.bob, marked)[0].mark == mark)
        let later = marked + [.sent(Self.alice, to: Self.bob)]
        #expect(unread(Self.bob, Self.alice, later) == left + [Offset(later.count)])
        // Somebody else's mark, or of another conversation, is none.
        let others =
            events + [
                .read(5, by: Self.alice, from: Self.bob), .read(5, by: Self.bob, from: Self.carol),
                .read(5, by: Self.bob, room: Self.room),
            ]
        #expect(unread(Self.bob, Self.alice, others) == [2, 5])
    }

    @Test func `deleted messages leave, once, read or not`() {
        let sent: [EventHeader] = [
            .sent(Self.alice, to: Self.bob), .sent(Self.alice, to: Self.bob), .sent(Self.bob, to: Self.alice),
            .sent(Self.alice, to: Self.bob), .read(1, by: Self.bob, from: Self.alice),
        ]
        let stream = StreamID.conversation(Self.alice, Self.bob)
        let other = StreamID.conversation(Self.alice, Self.carol)
        func after(_ targets: [Offset], in stream: StreamID) -> [Offset]? {
            unread(Self.bob, Self.alice, sent + targets.map { .deleted($0, in: stream) })
        }
        #expect(after([], in: stream) == [2, 4])
        #expect(after([4], in: stream) == [2])
        #expect(after([2, 2, 2], in: stream) == [4])
        #expect(after([4, 2, 4], in: stream) == [])
        #expect(after([1, 3, 5, 0, 77, .max, 1 << 63 | 2], in: stream) == [2, 4])
        #expect(after([4], in: other) == [2, 4])
    }

    @Test func `an edit changes nothing`() {
        var edit = EventHeader.deleted(1, in: .conversation(Self.alice, Self.bob))
        edit.type = .messageEdited
        #expect(unread(Self.bob, Self.alice, [.sent(Self.alice, to: Self.bob), edit]) == [1])
    }

    @Test func `a room counts from joining, not while away, and anew from coming back`() {
        var events: [EventHeader] = [
            .joined(Self.alice, Self.room), .sent(Self.alice, room: Self.room), .joined(Self.bob, Self.room),
        ]
        #expect(unread(Self.bob, Self.room, events) == [])
        #expect(reckon(Self.bob, events)[0].joined == 3)
        events += [.sent(Self.alice, room: Self.room), .sent(Self.bob, room: Self.room)]
        #expect(unread(Self.bob, Self.room, events) == [4])
        #expect(unread(Self.alice, Self.room, events) == [5])
        // Who is in it already doesn't join anew; a mark from before joining takes nothing away.
        events += [.joined(Self.bob, Self.room), .read(2, by: Self.bob, room: Self.room)]
        #expect(unread(Self.bob, Self.room, events) == [4])
        events += [.left(Self.bob, Self.room), .sent(Self.alice, room: Self.room), .deleted(4, in: Self.room)]
        #expect(reckon(Self.bob, events) == [])
        events += [.read(9, by: Self.bob, room: Self.room), .joined(Self.bob, Self.room)]
        #expect(unread(Self.bob, Self.room, events) == [])
        events += [.sent(Self.alice, room: Self.room), .sent(Self.carol, room: Self.room)]
        let expected = UnreadStream(
            stream: Self.room,
            subject: Self.room,
            isRoom: true,
            mark: 0,
            joined: 12,
            unread: [13, 14]
        )
        #expect(reckon(Self.bob, events) == [expected])
        // Who isn't in it has nothing to do with it, even if it spoke there.
        #expect(reckon(Self.carol, events) == [])
    }

    @Test func `conversations and rooms come in the order of peers and rooms`() {
        let peers = [9, 2, 7, 0xf0, 3] as [UInt8]
        let rooms = [0x40, 8, 0x10] as [UInt8]
        let events =
            peers.map { EventHeader.sent(Sample.id($0), to: Self.alice) }
            + rooms.map { .joined(Self.alice, Sample.id($0)) }
        let subjects = reckon(Self.alice, events).map(\.subject)
        #expect(subjects == (peers + rooms).sorted().map(Sample.id))
    }

    @Test(arguments: 1...60 as ClosedRange<UInt64>)
    func `it comes to what the model does, after every event`(seed: UInt64) {
        var random = SplitMix(seed: seed)
        var source = EventSource()
        var reckonings = UnreadModel.people.map { UnreadReckoning(account: $0) }
        var model = UnreadModel()
        var seen = 0
        for offset in 1...120 as ClosedRange<Offset> {
            let header = source.next(at: offset, &random)
            model.events.append(header)
            for (index, person) in UnreadModel.people.enumerated() {
                reckonings[index].apply(header, at: offset)
                let expected = model.streams(of: person)
                let reckoned = reckonings[index].streams
                guard reckoned == expected else {
                    Issue.record("seed \(seed), \(person) after \(offset): \(reckoned) instead of \(expected)")
                    return
                }
                seen += reckoned.reduce(0) { $0 + $1.unread.count }
            }
        }
        #expect(seen > 100)
    }
}

extension EventHeader {
    fileprivate static func sent(_ sender: AccountID, to peer: AccountID) -> EventHeader {
        EventHeader(
            type: .messageSent,
            payloadClass: .content,
            actor: sender,
            subject: peer,
            stream: .conversation(sender, peer)
        )
    }

    fileprivate static func sent(_ sender: AccountID, room: RoomID) -> EventHeader {
        EventHeader(type: .messageSent, payloadClass: .content, actor: sender, subject: room, stream: room)
    }

    fileprivate static func read(_ upTo: Offset, by reader: AccountID, from peer: AccountID) -> EventHeader {
        var header = sent(reader, to: peer)
        (header.type, header.payloadClass, header.reference) = (.messagesRead, .empty, upTo)
        return header
    }

    fileprivate static func read(_ upTo: Offset, by reader: AccountID, room: RoomID) -> EventHeader {
        var header = sent(reader, room: room)
        (header.type, header.payloadClass, header.reference) = (.messagesRead, .empty, upTo)
        return header
    }

    /// Nobody looks at who did it: that was decided when it was written.
    fileprivate static func deleted(_ target: Offset, in stream: StreamID) -> EventHeader {
        EventHeader(
            type: .messageDeleted,
            payloadClass: .empty,
            actor: .none,
            subject: .none,
            stream: stream,
            reference: target
        )
    }

    fileprivate static func joined(_ account: AccountID, _ room: RoomID) -> EventHeader {
        EventHeader(type: .memberAdded, payloadClass: .empty, actor: account, subject: account, stream: room)
    }

    fileprivate static func left(_ account: AccountID, _ room: RoomID) -> EventHeader {
        EventHeader(type: .memberRemoved, payloadClass: .empty, actor: account, subject: account, stream: room)
    }

    fileprivate static func login(_ account: AccountID) -> EventHeader {
        EventHeader(type: .userLoggedIn, payloadClass: .personal, actor: account, subject: account, stream: account)
    }
}

/// Random events of a few people and rooms, some of which no writer would let through.
private struct EventSource {
    private var messages: [(offset: Offset, stream: StreamID)] = []

    mutating func next(at offset: Offset, _ random: inout SplitMix) -> EventHeader {
        let (me, peer) = (Self.pick(UnreadModel.people, &random), Self.pick(UnreadModel.people, &random))
        let room = Self.pick(UnreadModel.rooms, &random)
        let upTo =
            Int.random(in: 0..<12, using: &random) == 0 ? offset + 9 : Offset.random(in: 0..<offset, using: &random)
        switch Int.random(in: 0..<20, using: &random) {
        case 0..<5:
            messages.append((offset, .conversation(me, peer)))
            return .sent(me, to: peer)
        case 5..<10:
            messages.append((offset, room))
            return .sent(me, room: room)
        case 10: return .read(upTo, by: me, from: peer)
        case 11: return .read(upTo, by: me, room: room)
        case 12..<14:
            guard let message = messages.suffix(12).randomElement(using: &random) else { return .login(me) }
            return .deleted(message.offset, in: message.stream)
        case 14: return .deleted(upTo, in: room)
        case 15..<18: return .joined(me, room)
        case 18: return .left(me, room)
        default: return .login(me)
        }
    }

    private static func pick(_ ids: [Identifier], _ random: inout SplitMix) -> Identifier {
        ids.randomElement(using: &random) ?? ids[0]
    }
}
