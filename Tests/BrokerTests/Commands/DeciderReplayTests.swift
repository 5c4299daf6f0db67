import Testing

@testable import Broker

/// After a restart the writer decides as it would have without one.
@Suite struct DeciderReplayTests {
    private static let limits = DecisionLimits(unanswered: 2, roomMembers: 4, userRooms: 3)

    @Test(arguments: 1...6 as ClosedRange<UInt64>)
    func `a writer that was restarted decides like one that wasn't`(seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        var bench = WriterBench(limits: Self.limits)
        for room in 0xa0...0xa3 as ClosedRange<UInt8> {
            try bench.decide(.createRoom(Sample.id(room), by: Sample.id(room - 0x9f)))
        }
        for _ in 0..<60 {
            bench.begin()
            for _ in 0..<5 { _ = bench.decide(next: command(&random, bench)) }
            try bench.commit()
            for name in FakeViews.Name.allCases where Bool.random(using: &random) {
                bench.views.project([name], upTo: .random(in: 0...bench.head, using: &random))
            }
        }
        let hasDeletions = bench.views.headers(after: bench.views.conversationsProjected).contains {
            $0.header.type == .messageDeleted
        }
        #expect(hasDeletions, "nothing was deleted that a restart must take in")
        var restarted = bench
        try restarted.restart()
        for round in 0..<60 {
            bench.begin()
            restarted.begin()
            for _ in 0..<5 {
                let command = command(&random, bench)
                #expect(bench.decide(next: command) == restarted.decide(next: command), "round \(round): \(command)")
            }
            let headers = bench.decider.batch.entries.map(\.header)
            #expect(restarted.decider.batch.entries.map(\.header) == headers, "round \(round)")
            // One of the two tells the views, which they share.
            try bench.commit()
            restarted.commit(like: bench)
        }
    }

    /// No ids of messages and no new names: those are not in the headers that a restart reads.
    private func command(_ random: inout SplitMix, _ bench: WriterBench) -> Command {
        let me = Sample.id(UInt8.random(in: 1...4, using: &random))
        let other = Sample.id(UInt8.random(in: 1...4, using: &random))
        let room = Sample.id(UInt8.random(in: 0xa0...0xa4, using: &random))
        switch Int.random(in: 0..<12, using: &random) {
        case 8...: return change(&random, bench) ?? .send("x", from: me, to: other)
        case 0: return .send("x", from: me, to: other)
        case 1: return .send("x", from: me, room: room)
        case 2: return .markRead(by: me, peer: other)
        case 3: return .markRead(by: me, room: room)
        case 4: return .createRoom(RoomID(high: random.next(), low: 0), by: me, with: other)
        case 5: return .addMember(other, to: room, by: me)
        case 6: return .removeMember(other, from: room, by: me)
        default: return .recordLogin(me, address: "::1", port: 1)
        }
    }

    /// An edit or a deletion of what is in the log, by who wrote it.
    private func change(_ random: inout SplitMix, _ bench: WriterBench) -> Command? {
        guard bench.head > 0 else { return nil }
        let target = Offset.random(in: 1...bench.head, using: &random)
        guard let header = bench.views.event(at: target)?.header, header.type == .messageSent else { return nil }
        let conversation =
            header.concernsRoom
            ? Command.Conversation(me: header.actor, room: header.subject)
            : Command.Conversation(me: header.actor, peer: header.subject)
        return Bool.random(using: &random)
            ? .edit(target, "y", in: conversation) : .delete(conversation, target: target)
    }
}
