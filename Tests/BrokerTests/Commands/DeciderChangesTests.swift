import LMDB
import Testing

@testable import Broker

/// Editing and deleting one's own messages.
@Suite struct DeciderChangesTests {
    private static let alice = Sample.id(1)
    private static let bob = Sample.id(2)
    private static let carol = Sample.id(3)
    private static let room = Sample.id(0xa0)

    /// What may be in the way of a change, by its target.
    struct Refused: Sendable, CustomTestStringConvertible {
        var target: Offset
        var conversation: Command.Conversation
        var refusal: Refusal
        var testDescription: String { "\(refusal): \(target)" }
    }

    private static let refused: [Refused] = [
        // Nothing, what isn't there yet, no message, one of another conversation, of a room, of the peer.
        Refused(target: 0, conversation: .init(me: alice, peer: bob), refusal: .noSuchMessage),
        Refused(target: 10, conversation: .init(me: alice, peer: bob), refusal: .noSuchMessage),
        Refused(target: .max, conversation: .init(me: alice, peer: bob), refusal: .noSuchMessage),
        Refused(target: 3, conversation: .init(me: alice, peer: bob), refusal: .noSuchMessage),
        Refused(target: 1, conversation: .init(me: alice, peer: carol), refusal: .noSuchMessage),
        Refused(target: 1, conversation: .init(me: alice, room: room), refusal: .noSuchMessage),
        Refused(target: 7, conversation: .init(me: alice, peer: bob), refusal: .noSuchMessage),
        Refused(target: 1, conversation: .init(me: bob, peer: alice), refusal: .notAuthor),
        Refused(target: 2, conversation: .init(me: alice, peer: bob), refusal: .notAuthor),
        // In a room a member only, and there who wrote it only, the owner or not.
        Refused(target: 7, conversation: .init(me: carol, room: room), refusal: .notMember),
        Refused(target: 7, conversation: .init(me: bob, room: room), refusal: .notAuthor),
        Refused(target: 8, conversation: .init(me: alice, room: room), refusal: .notAuthor),
        Refused(target: 9, conversation: .init(me: bob, room: room), refusal: .noSuchMessage),
        Refused(target: 7, conversation: .init(me: alice, room: Sample.id(0xee)), refusal: .noSuchRoom),
    ]

    /// 1: alice to bob, 2: bob to alice, 3: bob's mark, 4 to 6: a room of alice's with bob, 7: alice there, 8: bob
    /// there, 9: a mark there.
    private func makeBench() throws -> WriterBench {
        var bench = WriterBench()
        try bench.decide(
            .send("1", from: Self.alice, to: Self.bob),
            .send("2", from: Self.bob, to: Self.alice),
            .markRead(by: Self.bob, peer: Self.alice),
            .createRoom(Self.room, by: Self.alice, with: Self.bob),
            .send("7", from: Self.alice, room: Self.room),
            .send("8", from: Self.bob, room: Self.room),
            .markRead(by: Self.bob, room: Self.room)
        )
        #expect(bench.head == 9)
        return bench
    }

    @Test(arguments: refused)
    func `what is no message of one's own there is left alone`(_ refused: Refused) throws {
        var bench = try makeBench()
        let outcomes = try bench.decide(
            .edit(refused.target, "x", in: refused.conversation),
            .delete(refused.conversation, target: refused.target)
        )
        #expect(outcomes == [.refused(refused.refusal), .refused(refused.refusal)])
        #expect(bench.head == 9)
    }

    @Test func `an edit and a deletion say what was changed, by whom and where`() throws {
        var bench = try makeBench()
        let outcomes = try bench.decide(
            .edit(1, "안녕", by: Self.alice, peer: Self.bob),
            .edit(8, "", by: Self.bob, room: Self.room),
            .delete(2, by: Self.bob, peer: Self.alice),
            .delete(7, by: Self.alice, room: Self.room)
        )
        #expect(outcomes == [.stored(last: 10), .stored(last: 11), .stored(last: 12), .stored(last: 13)])
        let batch = bench.decider.batch
        let headers = batch.entries.map(\.header)
        #expect(headers.map(\.type) == [.messageEdited, .messageEdited, .messageDeleted, .messageDeleted])
        #expect(headers.map(\.reference) == [1, 8, 2, 7])
        #expect(headers.map(\.actor) == [Self.alice, Self.bob, Self.bob, Self.alice])
        #expect(headers.map(\.subject) == [Self.bob, Self.room, Self.alice, Self.room])
        let direct = StreamID.conversation(Self.alice, Self.bob)
        #expect(headers.map(\.stream) == [direct, Self.room, direct, Self.room])
        #expect(headers.map(\.revision) == [4, 7, 5, 8])
        #expect(headers.map(\.payloadClass) == [.content, .empty, .empty, .empty])
        #expect(headers.map(\.version) == [1, 1, 1, 1])
        let payloads = try batch.entries.indices.map { try batch.withRecord(at: $0) { try $0.decodePayload() } }
        #expect(payloads[0] == .messageEdited(content: "안녕"))
        #expect(payloads[1] == .messageEdited(content: ""))
        #expect(payloads[2] == .empty(.messageDeleted))
    }

    @Test(arguments: Sample.texts)
    func `an edit has the bytes of its payload's type`(_ text: String) throws {
        var bench = try makeBench()
        try bench.decide(.edit(1, text, by: Self.alice, peer: Self.bob))
        let expected = try EventPayload.messageEdited(content: text).encode()
        #expect(bench.decider.batch.withPayload(at: 0) { $0.isEqual(to: expected.span) })
    }

    /// Before the view knows of the deletion, after it does, and after a start in between.
    @Test func `what is deleted is deleted once, and not edited any more`() throws {
        let commands: [Command] = [
            .delete(1, by: Self.alice, peer: Self.bob), .edit(1, "x", by: Self.alice, peer: Self.bob),
        ]
        for projectedUpTo in [0, 9, 10] as [Offset] {
            for restarts in [false, true] {
                var bench = try makeBench()
                let first = try bench.decide(commands[0], commands[0], commands[1])
                #expect(first == [.stored(last: 10), .unchanged(1), .refused(.noSuchMessage)])
                bench.views.project(upTo: projectedUpTo)
                if restarts { try bench.restart() }
                #expect(try bench.decide(commands[0], commands[1]) == [.unchanged(1), .refused(.noSuchMessage)])
                // Who didn't write it is told so all the same, and other messages are not concerned.
                let others = try bench.decide(
                    .delete(1, by: Self.bob, peer: Self.alice),
                    .delete(2, by: Self.bob, peer: Self.alice)
                )
                #expect(others == [.refused(.notAuthor), .stored(last: 11)])
            }
        }
    }

    @Test func `a message is edited any number of times, the same content too`() throws {
        var bench = try makeBench()
        let edit = Command.edit(1, "x", by: Self.alice, peer: Self.bob)
        #expect(try bench.decide(edit, edit) == [.stored(last: 10), .stored(last: 11)])
        bench.views.project()
        try bench.restart()
        #expect(try bench.decide(edit) == [.stored(last: 12)])
        #expect(bench.decider.batch.entries.map(\.header.revision) == [6])
    }

    @Test func `a message is changed in the batch in which it was sent`() throws {
        var bench = WriterBench()
        try bench.decide(.send("1", from: Self.alice, to: Self.bob))
        let outcomes = try bench.decide(
            .send("2", from: Self.alice, to: Self.bob),
            .edit(2, "two", by: Self.alice, peer: Self.bob),
            .edit(2, "x", by: Self.bob, peer: Self.alice),
            .delete(2, by: Self.alice, peer: Self.bob),
            .edit(2, "x", by: Self.alice, peer: Self.bob),
            .delete(2, by: Self.alice, peer: Self.bob),
            .delete(5, by: Self.alice, peer: Self.bob)
        )
        #expect(
            outcomes == [
                .stored(last: 2), .stored(last: 3), .refused(.notAuthor), .stored(last: 4), .refused(.noSuchMessage),
                .unchanged(2), .refused(.noSuchMessage),
            ]
        )
        #expect(bench.decider.batch.entries.map(\.header.revision) == [2, 3, 4])
    }

    @Test func `a batch that was rolled back has sent, edited and deleted nothing`() throws {
        var bench = try makeBench()
        bench.begin()
        let sends = Command.send("10", from: Self.alice, to: Self.bob)
        let deletes = Command.delete(1, by: Self.alice, peer: Self.bob)
        let deletesNew = Command.delete(10, by: Self.alice, peer: Self.bob)
        #expect([sends, deletes, deletesNew].map { bench.decide(next: $0) } == (10...12).map { .stored(last: $0) })
        bench.rollBack()
        // What the message was is an event of another kind now.
        let outcomes = try bench.decide(
            .recordLogin(Self.alice, address: "::1", port: 1),
            deletesNew,
            .edit(1, "x", by: Self.alice, peer: Self.bob),
            deletes
        )
        #expect(outcomes == [.stored(last: 10), .refused(.noSuchMessage), .stored(last: 11), .stored(last: 12)])
    }

    @Test func `in a room that one has left, one's own messages stay as they are until one is back`() throws {
        var bench = try makeBench()
        let changes: [Command] = [
            .edit(8, "x", by: Self.bob, room: Self.room), .delete(8, by: Self.bob, room: Self.room),
        ]
        try bench.decide(.removeMember(Self.bob, from: Self.room, by: Self.bob))
        #expect(try bench.decide(changes[0], changes[1]) == [.refused(.notMember), .refused(.notMember)])
        try bench.decide(.addMember(Self.bob, to: Self.room, by: Self.alice))
        #expect(try bench.decide(changes[0], changes[1]) == [.stored(last: 12), .stored(last: 13)])
    }

    @Test func `a note to oneself can be changed as well`() throws {
        var bench = WriterBench()
        try bench.decide(.send("note", from: Self.alice, to: Self.alice))
        let outcomes = try bench.decide(
            .edit(1, "x", by: Self.alice, peer: Self.alice),
            .delete(1, by: Self.alice, peer: Self.alice)
        )
        #expect(outcomes == [.stored(last: 2), .stored(last: 3)])
    }

    @Test func `an erased message can't be edited, but deleted`() throws {
        var bench = try makeBench()
        bench.views.redact(1)
        let outcomes = try bench.decide(
            .edit(1, "x", by: Self.alice, peer: Self.bob),
            .delete(1, by: Self.alice, peer: Self.bob),
            .delete(1, by: Self.alice, peer: Self.bob)
        )
        #expect(outcomes == [.refused(.noSuchMessage), .stored(last: 10), .unchanged(1)])
    }

    @Test func `a view that is away refuses what it must be asked for, and nothing else`() throws {
        var bench = try makeBench()
        bench.views.project()
        try bench.restart()
        try bench.decide(.edit(1, "x", by: Self.alice, peer: Self.bob))
        bench.views.setAway([.conversations])
        let outcomes = try bench.decide(
            .edit(1, "known", by: Self.alice, peer: Self.bob),
            .edit(2, "x", by: Self.bob, peer: Self.alice),
            .delete(2, by: Self.bob, peer: Self.alice),
            .delete(1, by: Self.alice, peer: Self.bob)
        )
        #expect(
            outcomes == [.stored(last: 11), .refused(.unavailable), .refused(.unavailable), .stored(last: 12)]
        )
    }

    @Test func `an edit or a deletion is no answer, and takes none away`() throws {
        var bench = WriterBench(limits: DecisionLimits(unanswered: 1))
        let send = Command.send("x", from: Self.alice, to: Self.bob)
        try bench.decide(.send("x", from: Self.bob, to: Self.alice), send)
        try bench.decide(
            .edit(1, "y", by: Self.bob, peer: Self.alice),
            .delete(2, by: Self.alice, peer: Self.bob),
            .delete(1, by: Self.bob, peer: Self.alice)
        )
        #expect(try bench.decide(send) == [.refused(.unanswered)])
    }
}
