import Testing

@testable import Broker

/// Rooms: who is in, who may what, who inherits, and how many fit.
@Suite struct DeciderRoomsTests {
    private static let alice = Sample.id(1)
    private static let bob = Sample.id(2)
    private static let carol = Sample.id(3)
    private static let room = Sample.id(0xa0)

    @Test func `a room begins with its creator and then the others, each once`() throws {
        var bench = WriterBench()
        let outcome = try bench.decide(
            .createRoom(Self.room, by: Self.alice, with: Self.bob, Self.alice, Self.carol, Self.bob)
        )
        #expect(outcome == [.stored(last: 4)])
        let headers = bench.decider.batch.entries.map(\.header)
        #expect(headers.map(\.type) == [.roomCreated, .memberAdded, .memberAdded, .memberAdded])
        #expect(headers.map(\.subject) == [Self.room, Self.alice, Self.bob, Self.carol])
        #expect(headers.allSatisfy { $0.actor == Self.alice && $0.stream == Self.room })
        #expect(headers.map(\.revision) == [1, 2, 3, 4])
    }

    @Test func `only members write, read and change a room`() throws {
        var bench = WriterBench()
        try bench.decide(.createRoom(Self.room, by: Self.alice))
        let stranger: [Command] = [
            .send("x", from: Self.bob, room: Self.room), .markRead(by: Self.bob, room: Self.room),
            .addMember(Self.bob, to: Self.room, by: Self.bob), .removeMember(Self.alice, from: Self.room, by: Self.bob),
        ]
        for command in stranger { #expect(try bench.decide(command) == [.refused(.notMember)], "\(command)") }
        let nowhere: [Command] = [
            .send("x", from: Self.alice, room: Sample.id(9)), .markRead(by: Self.alice, room: Sample.id(9)),
            .addMember(Self.bob, to: Sample.id(9), by: Self.alice),
            .removeMember(Self.bob, from: Sample.id(9), by: Self.alice),
        ]
        for command in nowhere { #expect(try bench.decide(command) == [.refused(.noSuchRoom)], "\(command)") }
        #expect(bench.head == 2)

        #expect(try bench.decide(.addMember(Self.bob, to: Self.room, by: Self.alice)) == [.stored(last: 3)])
        #expect(try bench.decide(.send("x", from: Self.bob, room: Self.room)) == [.stored(last: 4)])
        #expect(try bench.decide(.markRead(by: Self.alice, room: Self.room)) == [.stored(last: 5)])
        #expect(try bench.decide(.markRead(by: Self.bob, room: Self.room)) == [.unchanged(4)])
    }

    @Test func `adding a member again and removing a stranger change nothing`() throws {
        var bench = WriterBench()
        try bench.decide(.createRoom(Self.room, by: Self.alice, with: Self.bob))
        #expect(try bench.decide(.addMember(Self.bob, to: Self.room, by: Self.alice)) == [.unchanged(0)])
        #expect(try bench.decide(.removeMember(Self.carol, from: Self.room, by: Self.alice)) == [.unchanged(0)])
        #expect(bench.head == 3)
    }

    @Test func `a member may leave, and only the owner may remove others`() throws {
        var bench = WriterBench()
        try bench.decide(.createRoom(Self.room, by: Self.alice, with: Self.bob, Self.carol))
        let refused = try bench.decide(
            .removeMember(Self.carol, from: Self.room, by: Self.bob),
            .removeMember(Self.alice, from: Self.room, by: Self.bob)
        )
        #expect(refused == [.refused(.notAllowed), .refused(.notAllowed)])
        #expect(try bench.decide(.removeMember(Self.carol, from: Self.room, by: Self.alice)) == [.stored(last: 5)])
        #expect(try bench.decide(.removeMember(Self.bob, from: Self.room, by: Self.bob)) == [.stored(last: 6)])
        #expect(try bench.decide(.send("x", from: Self.bob, room: Self.room)) == [.refused(.notMember)])
    }

    /// Whether the view knows all, a part or nothing of it.
    @Test(arguments: 0...8 as ClosedRange<Offset>, [true, false])
    func `the oldest member inherits the room`(projected: Offset, restarts: Bool) throws {
        var bench = WriterBench()
        try bench.decide(.createRoom(Self.room, by: Self.alice, with: Self.bob, Self.carol))
        try bench.decide(.removeMember(Self.bob, from: Self.room, by: Self.bob))
        try bench.decide(
            .addMember(Sample.id(4), to: Self.room, by: Self.alice),
            .addMember(Self.bob, to: Self.room, by: Self.alice)
        )
        bench.views.project(upTo: projected)
        if restarts { try bench.restart() }
        // Bob was in before Carol, but he left and came back after Sample 4.
        for heir in [Self.carol, Sample.id(4), Self.bob] {
            let owner = heir == Self.carol ? Self.alice : heir == Self.bob ? Sample.id(4) : Self.carol
            try bench.decide(.removeMember(owner, from: Self.room, by: owner))
            let headers = bench.decider.batch.entries.map(\.header)
            #expect(headers.map(\.type) == [.memberRemoved, .ownerChanged])
            #expect(headers.map(\.subject) == [owner, heir])
        }
        // The last one leaves nobody to inherit it.
        try bench.decide(.removeMember(Self.bob, from: Self.room, by: Self.bob))
        #expect(bench.decider.batch.entries.map(\.header.type) == [.memberRemoved])
        #expect(try bench.decide(.send("x", from: Self.bob, room: Self.room)) == [.refused(.notMember)])
    }

    @Test func `the heir may remove others, who owned it before may not`() throws {
        var bench = WriterBench()
        try bench.decide(.createRoom(Self.room, by: Self.alice, with: Self.bob, Self.carol))
        try bench.decide(
            .removeMember(Self.alice, from: Self.room, by: Self.alice),
            .addMember(Self.alice, to: Self.room, by: Self.carol)
        )
        let outcomes = try bench.decide(
            .removeMember(Self.carol, from: Self.room, by: Self.alice),
            .removeMember(Self.carol, from: Self.room, by: Self.bob)
        )
        #expect(outcomes == [.refused(.notAllowed), .stored(last: 8)])
    }

    @Test func `a room has so many members and not one more`() throws {
        var bench = WriterBench(limits: DecisionLimits(roomMembers: 3))
        let tooMany = Command.createRoom(Self.room, by: Self.alice, with: Self.bob, Self.carol, Sample.id(4))
        #expect(try bench.decide(tooMany) == [.refused(.tooManyMembers)])
        #expect(bench.head == 0)
        let full = try bench.decide(
            .createRoom(Self.room, by: Self.alice, with: Self.bob),
            .addMember(Self.carol, to: Self.room, by: Self.alice),
            .addMember(Sample.id(4), to: Self.room, by: Self.alice),
            .addMember(Self.bob, to: Self.room, by: Self.alice),
            .removeMember(Self.carol, from: Self.room, by: Self.carol),
            .addMember(Sample.id(4), to: Self.room, by: Self.alice)
        )
        #expect(full[1] == .stored(last: 4))
        #expect(full[2] == .refused(.tooManyMembers))
        #expect(full[3] == .unchanged(0))
        #expect(full[5] == .stored(last: 6))
        // Whoever is in it twice counts once.
        let twice = Command.createRoom(
            Sample.id(0xa1),
            by: Self.alice,
            with: Self.bob,
            Self.bob,
            Self.alice,
            Self.carol
        )
        #expect(try bench.decide(twice) == [.stored(last: 10)])
    }

    @Test func `an account is in so many rooms and not one more`() throws {
        var bench = WriterBench(limits: DecisionLimits(userRooms: 2))
        try bench.decide(
            .createRoom(Sample.id(0xa1), by: Self.alice),
            .createRoom(Sample.id(0xa2), by: Self.bob, with: Self.alice)
        )
        let head = bench.head
        let refused = try bench.decide(
            .createRoom(Sample.id(0xa3), by: Self.alice),
            .createRoom(Sample.id(0xa3), by: Self.carol, with: Self.bob, Self.alice)
        )
        #expect(refused == [.refused(.tooManyRooms), .refused(.tooManyRooms)])
        #expect(bench.head == head)
        try bench.decide(.createRoom(Sample.id(0xa3), by: Self.carol))
        let added = Command.addMember(Self.alice, to: Sample.id(0xa3), by: Self.carol)
        #expect(try bench.decide(added) == [.refused(.tooManyRooms)])
        try bench.decide(.removeMember(Self.alice, from: Sample.id(0xa1), by: Self.alice))
        #expect(try bench.decide(added) == [.stored(last: bench.head)])
    }

    @Test func `a rooms view that is away refuses rooms and nothing else`() throws {
        var bench = WriterBench()
        bench.views.setAway([.rooms])
        let outcomes = try bench.decide(
            .createRoom(Self.room, by: Self.alice, with: Self.bob),
            .send("x", from: Self.alice, room: Self.room),
            .send("x", from: Self.alice, to: Self.bob)
        )
        #expect(outcomes == [.refused(.unavailable), .refused(.unavailable), .stored(last: 1)])
        #expect(bench.decider.batch.entries.count == 1)
    }
}
