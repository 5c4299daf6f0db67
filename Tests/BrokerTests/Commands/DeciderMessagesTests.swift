import Testing

@testable import Broker

/// Messages, their ids, and marks.
@Suite struct DeciderMessagesTests {
    private static let alice = Sample.id(1)
    private static let bob = Sample.id(2)

    @Test func `offsets and the revisions of each stream are dense`() throws {
        var bench = WriterBench()
        let outcomes = try bench.decide(
            .send("a", from: Self.alice, to: Self.bob),
            .send("b", from: Self.bob, to: Self.alice),
            .send("c", from: Self.alice, to: Sample.id(3)),
            .recordLogin(Self.alice, address: "::1", port: 1)
        )
        #expect(outcomes == [.stored(last: 1), .stored(last: 2), .stored(last: 3), .stored(last: 4)])
        #expect(bench.decider.batch.entries.map(\.header.revision) == [1, 2, 1, 1])
        try bench.decide(.send("d", from: Self.alice, to: Self.bob), .recordFailedLogin(Self.alice, address: "::1"))
        #expect(bench.decider.batch.entries.map(\.header.revision) == [3, 2])
        #expect(bench.decider.batch.first == 5)
    }

    @Test func `a message carries its payload, its time and its place`() throws {
        var bench = WriterBench()
        try bench.decide(
            .send("안녕", from: Self.alice, to: Self.bob, id: "m"),
            .send("", from: Self.alice, to: Self.bob)
        )
        let batch = bench.decider.batch
        let header = batch.entries[0].header
        #expect(header.type == .messageSent)
        #expect(header.milliseconds == 1000)
        #expect(header.actor == Self.alice)
        #expect(header.subject == Self.bob)
        #expect(header.stream == .conversation(Self.alice, Self.bob))
        #expect(header.payloadClass == .content)
        let payload = try batch.withRecord(at: 0) { try $0.decodePayload() }
        #expect(payload == .messageSent(content: "안녕", id: "m"))
        #expect(batch.entries[1].header.payloadClass == .empty)
        #expect(batch.withPayload(at: 1) { $0.count } == 0)
    }

    @Test func `salts differ`() throws {
        var bench = WriterBench()
        bench.begin()
        for _ in 0..<600 { _ = bench.decide(next: .send("same", from: Self.alice, to: Self.bob)) }
        let batch = bench.decider.batch
        let salts = try batch.entries.indices.map { index in
            try batch.withRecord(at: index) { record in (0..<16).map { record.bytes[EventHeader.byteCount + $0] } }
        }
        #expect(Set(salts).count == 600)
    }

    @Test func `a repeated id gives the first offset: in the same batch, before and after the view knows it`() throws {
        var bench = WriterBench()
        let send = Command.send("x", from: Self.alice, to: Self.bob, id: "m")
        #expect(try bench.decide(send, send) == [.stored(last: 1), .duplicate(1)])
        #expect(try bench.decide(send) == [.duplicate(1)])
        bench.views.project()
        #expect(try bench.decide(send) == [.duplicate(1)])
        try bench.restart()
        #expect(try bench.decide(send) == [.duplicate(1)])
        #expect(bench.head == 1)
    }

    @Test func `an id counts for its sender, whatever the content and wherever it goes`() throws {
        var bench = WriterBench()
        try bench.decide(.send("x", from: Self.alice, to: Self.bob, id: "m"))
        let outcomes = try bench.decide(
            .send("other", from: Self.alice, to: Sample.id(3), id: "m"),
            .send("x", from: Self.bob, to: Self.alice, id: "m"),
            .send("x", from: Self.alice, to: Self.bob, id: "M")
        )
        #expect(outcomes == [.duplicate(1), .stored(last: 2), .stored(last: 3)])
    }

    @Test func `after a start, sends with an id wait for the view, others don't`() throws {
        var bench = WriterBench()
        let send = Command.send("x", from: Self.alice, to: Self.bob, id: "m")
        try bench.decide(send, .send("y", from: Self.bob, to: Self.alice))
        try bench.restart()
        bench.views.project(upTo: 1)
        let fresh = Command.send("x", from: Self.alice, to: Self.bob, id: "fresh")
        #expect(try bench.decide(send, fresh) == [.refused(.unavailable), .refused(.unavailable)])
        #expect(try bench.decide(.send("z", from: Self.alice, to: Self.bob)) == [.stored(last: 3)])
        // The view need not know what came after the start: the writer knows that itself.
        bench.views.project(upTo: 2)
        #expect(try bench.decide(send, fresh, fresh) == [.duplicate(1), .stored(last: 4), .duplicate(4)])
    }

    @Test func `an id is new again if its batch was rolled back`() throws {
        var bench = WriterBench()
        let send = Command.send("x", from: Self.alice, to: Self.bob, id: "m")
        bench.begin()
        #expect(bench.decide(next: send) == .stored(last: 1))
        bench.rollBack()
        #expect(try bench.decide(send) == [.stored(last: 1)])
        #expect(bench.decider.batch.entries.map(\.header.revision) == [1])
    }

    @Test(arguments: [1, 2, 3])
    func `so many messages go without an answer, and not one more`(limit: Int) throws {
        var bench = WriterBench(limits: DecisionLimits(unanswered: limit))
        let send = Command.send("x", from: Self.alice, to: Self.bob)
        for _ in 0..<limit {
            let outcome = try bench.decide(send)[0]
            #expect(outcome == .stored(last: bench.head))
        }
        #expect(try bench.decide(send, send) == [.refused(.unanswered), .refused(.unanswered)])
        bench.views.project()
        #expect(try bench.decide(send) == [.refused(.unanswered)])
        // Others are not concerned, nor is what one writes to oneself; an answer makes room again, a mark doesn't.
        let others = try bench.decide(
            .send("x", from: Self.alice, to: Sample.id(3)),
            .markRead(by: Self.bob, peer: Self.alice),
            send,
            .send("answer", from: Self.bob, to: Self.alice),
            send
        )
        let head = bench.head
        #expect(others[2] == .refused(.unanswered))
        #expect(others[4] == .stored(last: head))
        for _ in 0..<limit + 2 {
            #expect(try bench.decide(.send("note", from: Self.alice, to: Self.alice)) == [.stored(last: bench.head)])
        }
    }

    @Test func `without that limit any number goes`() throws {
        var bench = WriterBench(limits: DecisionLimits(unanswered: 0))
        for offset in 1...50 as ClosedRange<Offset> {
            #expect(try bench.decide(.send("x", from: Self.alice, to: Self.bob)) == [.stored(last: offset)])
        }
    }

    @Test func `a mark only advances, and never past what others wrote`() throws {
        var bench = WriterBench()
        for _ in 1...3 { try bench.decide(.send("x", from: Self.bob, to: Self.alice)) }
        try bench.decide(.send("mine", from: Self.alice, to: Self.bob))
        func mark(upTo: Offset) throws -> Outcome {
            try bench.decide(.markRead(by: Self.alice, peer: Self.bob, upTo: upTo))[0]
        }
        #expect(try mark(upTo: 0) == .unchanged(0))
        #expect(try mark(upTo: 2) == .stored(last: 5))
        #expect(bench.decider.batch.entries[0].header.reference == 2)
        #expect(try mark(upTo: 1) == .unchanged(2))
        #expect(try mark(upTo: 2) == .unchanged(2))
        #expect(try mark(upTo: .max) == .stored(last: 6))
        #expect(bench.decider.batch.entries[0].header.reference == 3)
        // The own message is not to be marked, but it has been seen.
        #expect(try mark(upTo: .max) == .unchanged(4))
        #expect(try mark(upTo: 3) == .unchanged(3))
        bench.views.project()
        try bench.restart()
        #expect(try mark(upTo: .max) == .unchanged(4))
        #expect(bench.head == 6)
    }

    @Test func `nothing to mark is no event`() throws {
        var bench = WriterBench()
        #expect(try bench.decide(.markRead(by: Self.alice, peer: Self.bob)) == [.unchanged(0)])
        try bench.decide(.send("x", from: Self.alice, to: Self.bob), .send("note", from: Self.alice, to: Self.alice))
        #expect(try bench.decide(.markRead(by: Self.alice, peer: Self.bob)) == [.unchanged(1)])
        #expect(try bench.decide(.markRead(by: Self.alice, peer: Self.alice)) == [.unchanged(2)])
        #expect(bench.head == 2)
    }

    @Test func `a view that is away refuses what needs it, and leaves the rest alone`() throws {
        var bench = WriterBench()
        try bench.decide(.send("x", from: Self.alice, to: Self.bob))
        bench.views.setAway([.conversations])
        let outcomes = try bench.decide(
            .send("x", from: Self.alice, to: Sample.id(3)),
            .send("known", from: Self.bob, to: Self.alice),
            .recordLogin(Sample.id(4), address: "::1", port: 1)
        )
        #expect(outcomes == [.refused(.unavailable), .stored(last: 2), .refused(.unavailable)])
        bench.views.setAway([])
        #expect(try bench.decide(.send("x", from: Self.alice, to: Sample.id(3))) == [.stored(last: 3)])
    }
}
