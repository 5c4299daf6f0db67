import Testing

@testable import Broker

/// What of a conversation was shown, case by case and against a model that looks at everything again for each message.
@Suite struct HistoryReckoningTests {
    private static let alice = Sample.id(1)
    private static let bob = Sample.id(2)
    private static let carol = Sample.id(3)
    private static let room = Sample.id(0xa0)

    private func reckon(_ reader: AccountID, _ place: Happening.Place, _ events: [EventHeader]) -> HistoryReckoning {
        var reckoning =
            switch place {
            case .with(let peer): HistoryReckoning(reader: reader, peer: peer)
            case .room(let room): HistoryReckoning(reader: reader, room: room)
            }
        for (index, header) in events.enumerated() { reckoning.apply(header, at: Offset(index + 1)) }
        return reckoning
    }

    /// Where the texts are of the messages between the first two people.
    private func texts(_ events: [EventHeader]) -> [Offset] {
        reckon(Self.alice, .with(Self.bob), events).messages.map(\.textOffset)
    }

    @Test func `it shows the messages of both and of nobody else`() {
        let events = [
            Happening.sent(Self.alice, .with(Self.bob)), Happening.sent(Self.bob, .with(Self.alice)),
            Happening.sent(Self.alice, .with(Self.carol)), Happening.sent(Self.alice, .room(Self.room)),
            Happening.sent(Self.alice, .with(Self.alice)), Happening.sent(Self.alice, .with(Self.bob)),
        ]
        #expect(texts(events) == [1, 2, 6])
        #expect(reckon(Self.bob, .with(Self.alice), events).messages.map(\.offset) == [1, 2, 6])
        #expect(reckon(Self.bob, .with(Self.carol), events).messages == [])
        #expect(reckon(Self.alice, .with(Self.alice), events).messages.map(\.offset) == [5])
    }

    @Test func `the last edit has the text, until the message is deleted`() {
        let sent = (1...3).map { _ in Happening.sent(Self.alice, .with(Self.bob)) }
        func after(_ changes: [(Bool, Offset)]) -> [Offset] {
            texts(
                sent
                    + changes.map { edits, target in
                        edits
                            ? Happening.edited(target, Self.alice, .with(Self.bob))
                            : Happening.deleted(target, Self.alice, .with(Self.bob))
                    }
            )
        }
        #expect(after([(true, 2)]) == [1, 4, 3])
        #expect(after([(true, 2), (true, 2), (true, 1)]) == [6, 5, 3])
        #expect(after([(true, 2), (false, 2), (true, 2)]) == [1, 3])
        #expect(after([(false, 2), (false, 2), (false, 1)]) == [3])
        #expect(after([(false, 1), (false, 2), (false, 3), (true, 3)]) == [])
        // What isn't a message of this conversation.
        #expect(after([(true, 0), (false, 4), (true, 4), (false, 99), (true, .max), (false, .max)]) == [1, 2, 3])
        let elsewhere = [
            Happening.edited(1, Self.alice, .with(Self.carol)), Happening.deleted(2, Self.alice, .room(Self.room)),
        ]
        #expect(texts(sent + elsewhere) == [1, 2, 3])
    }

    @Test(
        arguments: [
            ([], []), ([(2, 1)], [1]), ([(2, 3)], [1, 2]), ([(1, 2)], []), ([(1, 3)], [3]), ([(1, 9)], [3, 4]),
            ([(1, 3), (1, 1)], [3]), ([(2, 2), (1, 4), (1, 0), (2, 1)], [1, 2, 3, 4]), ([(3, 4)], []),
        ] as [([(reader: UInt8, upTo: Offset)], [Offset])]
    )
    func `what was read is what the other has marked, and a mark only grows`(
        marks: [(reader: UInt8, upTo: Offset)],
        read: [Offset]
    ) {
        let senders = [Self.alice, Self.alice, Self.bob, Self.bob]
        let events =
            senders.map { Happening.sent($0, .with($0 == Self.alice ? Self.bob : Self.alice)) }
            + marks.map { Happening.read($0.upTo, Sample.id($0.reader), .with(Sample.id($0.reader == 1 ? 2 : 1))) }
        // The same from either side.
        for (reader, peer) in [(Self.alice, Self.bob), (Self.bob, Self.alice)] {
            let reckoning = reckon(reader, .with(peer), events)
            #expect((1...4).filter { reckoning.isRead($0, from: senders[Int($0) - 1]) } == read)
        }
    }

    @Test func `what one writes to oneself is read`() {
        let reckoning = reckon(Self.alice, .with(Self.alice), [Happening.sent(Self.alice, .with(Self.alice))])
        #expect(reckoning.isRead(1, from: Self.alice))
    }

    @Test func `in a room one's own messages are read, and what was said before one came`() {
        var events = [
            Happening.made(Self.room, by: Self.alice), Happening.joined(Self.alice, Self.room),
            Happening.sent(Self.alice, .room(Self.room)), Happening.joined(Self.bob, Self.room),
            Happening.sent(Self.alice, .room(Self.room)), Happening.sent(Self.bob, .room(Self.room)),
        ]
        func read(_ reader: AccountID) -> [Offset] {
            let reckoning = reckon(reader, .room(Self.room), events)
            return reckoning.messages.map(\.offset).filter {
                reckoning.isRead($0, from: events[Int($0) - 1].actor)
            }
        }
        #expect(read(Self.bob) == [3, 6])
        #expect(read(Self.alice) == [3, 5])
        // Who is in it already doesn't join anew.
        events += [Happening.joined(Self.bob, Self.room)]
        #expect(read(Self.bob) == [3, 6])
        events += [Happening.read(6, Self.alice, .room(Self.room))]
        #expect(read(Self.alice) == [3, 5, 6])
        #expect(read(Self.bob) == [3, 6])
        events += [Happening.left(Self.bob, Self.room), Happening.sent(Self.alice, .room(Self.room))]
        #expect(reckon(Self.bob, .room(Self.room), events).joined == nil)
        events += [Happening.joined(Self.bob, Self.room), Happening.sent(Self.alice, .room(Self.room))]
        #expect(reckon(Self.bob, .room(Self.room), events).joined == 11)
        #expect(read(Self.bob) == [3, 5, 6, 10])
    }

    @Test func `nobody is in a room that isn't made yet`() {
        let joined = Happening.joined(Self.alice, Self.room)
        #expect(reckon(Self.alice, .room(Self.room), [joined]).joined == nil)
        let made = Happening.made(Self.room, by: Self.alice)
        #expect(reckon(Self.alice, .room(Self.room), [joined, made, joined]).joined == 3)
    }

    @Test(arguments: 1...12 as ClosedRange<UInt64>)
    func `it comes to what the model does, after every event`(seed: UInt64) {
        var random = SplitMix(seed: seed)
        var source = HappeningSource()
        var model = AsOfModel()
        let places = Happening.people.map(Happening.Place.with) + Happening.rooms.map(Happening.Place.room)
        let questions = Happening.people.flatMap { reader in places.map { (reader, $0) } }
        var reckonings = questions.map { reckon($0, $1, []) }
        var (shown, edited, read) = (0, 0, 0)
        for offset in 1...120 as ClosedRange<Offset> {
            let header = source.next(at: offset, &random)
            model.events.append(header)
            for (index, (reader, place)) in questions.enumerated() {
                reckonings[index].apply(header, at: offset)
                let reckoning = reckonings[index]
                let found = reckoning.messages.map { message in
                    let sender = model.events[Int(message.offset) - 1].actor
                    return AsOfModel.Shown(
                        offset: message.offset,
                        textOffset: message.textOffset,
                        isRead: reckoning.isRead(message.offset, from: sender)
                    )
                }
                let expected = model.history(of: reader, place)
                guard found == expected else {
                    Issue.record("seed \(seed), \(reader) \(place) after \(offset): \(found), not \(expected)")
                    return
                }
                if case .room(let room) = place {
                    let joined = model.members(of: room).first { $0.account == reader }?.joined
                    #expect(reckoning.joined == joined, "seed \(seed), \(reader) in \(room) after \(offset)")
                }
                shown += found.count
                edited += found.count { $0.offset != $0.textOffset }
                read += found.count(where: \.isRead)
            }
        }
        #expect(edited > 100 && read > 500 && shown - read > 500, "seed \(seed)")
    }
}
