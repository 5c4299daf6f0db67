import Testing

@testable import Broker

/// Who was in a room, case by case and against a model that looks at everything again for each member.
@Suite struct MembersReckoningTests {
    private static let alice = Sample.id(1)
    private static let bob = Sample.id(2)
    private static let carol = Sample.id(3)
    private static let room = Sample.id(0xa0)
    private static let other = Sample.id(0xa1)

    private func reckon(_ events: [EventHeader], room: RoomID = room) -> MembersReckoning {
        var reckoning = MembersReckoning(room: room)
        for (index, header) in events.enumerated() { reckoning.apply(header, at: Offset(index + 1)) }
        return reckoning
    }

    private func members(_ events: [EventHeader]) -> [AccountID: Offset] {
        Dictionary(uniqueKeysWithValues: reckon(events).members.map { ($0.account, $0.joined) })
    }

    @Test func `members come in the order of joining, and count from the last time`() {
        var events = [
            Happening.made(Self.room, by: Self.carol), Happening.joined(Self.carol, Self.room),
            Happening.joined(Self.bob, Self.room), Happening.joined(Self.alice, Self.room),
        ]
        #expect(reckon(events).members.map(\.account) == [Self.carol, Self.bob, Self.alice])
        #expect(members(events) == [Self.carol: 2, Self.bob: 3, Self.alice: 4])
        // Who is in it already doesn't join anew.
        events += [Happening.joined(Self.bob, Self.room)]
        #expect(members(events) == [Self.carol: 2, Self.bob: 3, Self.alice: 4])
        events += [Happening.left(Self.carol, Self.room), Happening.left(Self.carol, Self.room)]
        #expect(members(events) == [Self.bob: 3, Self.alice: 4])
        events += [Happening.joined(Self.carol, Self.room)]
        #expect(reckon(events).members.map(\.account) == [Self.bob, Self.alice, Self.carol])
        #expect(members(events) == [Self.bob: 3, Self.alice: 4, Self.carol: 8])
    }

    @Test func `the owner is who made it, then whoever it was given to, in it or not`() {
        var events = [Happening.joined(Self.bob, Self.room), Happening.owned(Self.room, by: Self.bob)]
        #expect(reckon(events).owner == nil)
        #expect(reckon(events).members == [])
        events += [Happening.made(Self.room, by: Self.alice), Happening.joined(Self.alice, Self.room)]
        #expect(reckon(events).owner == Self.alice)
        events += [Happening.made(Self.room, by: Self.carol)]
        #expect(reckon(events).owner == Self.alice)
        events += [Happening.left(Self.alice, Self.room)]
        #expect(reckon(events).owner == Self.alice)
        events += [Happening.owned(Self.room, by: Self.bob), Happening.owned(Self.room, by: Self.carol)]
        #expect(reckon(events).owner == Self.carol)
    }

    @Test func `what happens in other rooms is nothing to it`() {
        let events = [
            Happening.made(Self.room, by: Self.alice), Happening.joined(Self.alice, Self.room),
            Happening.made(Self.other, by: Self.bob), Happening.joined(Self.bob, Self.other),
            Happening.left(Self.alice, Self.other), Happening.owned(Self.other, by: Self.carol),
            Happening.sent(Self.carol, .room(Self.room)),
        ]
        #expect(members(events) == [Self.alice: 2])
        #expect(reckon(events).owner == Self.alice)
        #expect(reckon(events, room: Self.other).members == [MembersReckoning.Member(account: Self.bob, joined: 4)])
        #expect(reckon(events, room: Self.other).owner == Self.carol)
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `it comes to what the model does, after every event`(seed: UInt64) {
        var random = SplitMix(seed: seed)
        var source = HappeningSource()
        var model = AsOfModel()
        var reckonings = Happening.rooms.map { MembersReckoning(room: $0) }
        var (seen, owners) = (0, Set<AccountID>())
        for offset in 1...300 as ClosedRange<Offset> {
            let header = source.next(at: offset, &random)
            model.events.append(header)
            for (index, room) in Happening.rooms.enumerated() {
                reckonings[index].apply(header, at: offset)
                let (found, expected) = (reckonings[index].members, model.members(of: room))
                guard found == expected, reckonings[index].owner == model.owner(of: room) else {
                    Issue.record("seed \(seed), \(room) after \(offset): \(found), not \(expected)")
                    return
                }
                seen += found.count
                owners.formUnion(model.owner(of: room).map { [$0] } ?? [])
            }
        }
        #expect(seen > 100 && owners.count > 1, "seed \(seed)")
    }
}
