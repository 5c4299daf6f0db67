import LMDB
import Testing

@testable import Broker

/// Redactions, the end of accounts, and what the server says of itself.
@Suite struct DeciderErasureTests {
    private static let alice = Sample.id(1)
    private static let bob = Sample.id(2)
    private static let room = Sample.id(0xa0)

    /// 1, 2: accounts; 3: alice to bob with an id; 4: bob's mark; 5 to 7: a room; 8: alice's login; 9: an attestation.
    private func makeBench() throws -> (bench: WriterBench, account: AccountID) {
        var bench = WriterBench()
        let outcomes = try bench.decide(.register(try AccountName("alice")), .admitGuest(try AccountName("bob")))
        guard case .account(let account, _) = outcomes[0] else { throw Refusal.noSuchAccount }
        try bench.decide(
            .send("3", from: account, to: Self.bob, id: "m"),
            .markRead(by: Self.bob, peer: account),
            .createRoom(Self.room, by: account, with: Self.bob),
            .recordLogin(account, address: "::1", port: 1)
        )
        try bench.decide(.attest([Sample.attested("rooms", 2)], at: 8))
        #expect(bench.head == 9)
        return (bench, account)
    }

    @Test func `a redaction says what, why and by whom, and is of the event's own stream`() throws {
        var (bench, account) = try makeBench()
        let outcomes = try bench.decide(
            .redact(3, reason: "理由", by: Self.bob),
            .redact(5, reason: "", by: .none),
            .redact(8, reason: "x", by: .none)
        )
        #expect(outcomes == [.stored(last: 10), .stored(last: 11), .stored(last: 12)])
        let batch = bench.decider.batch
        #expect(batch.redactions == [3, 5, 8])
        let headers = batch.entries.map(\.header)
        #expect(headers.map(\.type) == [.payloadRedacted, .payloadRedacted, .payloadRedacted])
        #expect(headers.map(\.reference) == [3, 5, 8])
        #expect(headers.map(\.actor) == [Self.bob, .none, .none])
        #expect(headers.map(\.stream) == [.conversation(account, Self.bob), Self.room, account])
        #expect(headers.map(\.subject) == [Self.bob, Self.room, account])
        #expect(headers.map(\.revision) == [3, 4, 3])
        #expect(headers.map(\.payloadClass) == [.content, .empty, .content])
        #expect(try batch.withRecord(at: 0) { try $0.decodePayload() } == .payloadRedacted(reason: "理由"))
    }

    @Test(
        arguments: [
            (0, .noSuchEvent), (10, .noSuchEvent), (.max, .noSuchEvent), (1, .notErasable), (2, .notErasable),
            (4, .notErasable), (6, .notErasable), (9, .notErasable),
        ] as [(Offset, Refusal)]
    )
    func `what isn't there or can't be erased is refused, with all that was asked for beside it`(
        offset: Offset,
        refusal: Refusal
    ) throws {
        var bench = try makeBench().bench
        #expect(try bench.decide(.redact(offset, reason: "x", by: .none)) == [.refused(refusal)])
        let outcomes = try bench.decide(.redact(.init(offsets: [3, offset, 5], reason: "x", actor: .none)))
        #expect(outcomes == [.refused(refusal)])
        #expect(bench.decider.batch.isEmpty)
        #expect(bench.decider.batch.redactions.isEmpty)
    }

    /// In the same batch, before the views know, after they do, and after a start.
    @Test func `what is redacted is redacted once, and not edited any more`() throws {
        for projectedUpTo in [0, 9, 10] as [Offset] {
            for restarts in [false, true] {
                var (bench, account) = try makeBench()
                let redact = Command.redact(3, reason: "x", by: .none)
                let edit = Command.edit(3, "y", by: account, peer: Self.bob)
                let first = try bench.decide(redact, redact, edit)
                #expect(first == [.stored(last: 10), .unchanged(3), .refused(.noSuchMessage)])
                bench.views.project(upTo: projectedUpTo)
                if restarts { try bench.restart() }
                #expect(try bench.decide(redact, edit) == [.unchanged(3), .refused(.noSuchMessage)])
                let chunk = Command.Redaction(offsets: [3, 5, 3, 5], reason: "x", actor: .none)
                #expect(try bench.decide(.redact(chunk)) == [.stored(last: 11)])
                #expect(try bench.decide(.delete(3, by: account, peer: Self.bob)) == [.stored(last: 12)])
            }
        }
    }

    @Test func `an event of the batch itself is redacted with it`() throws {
        var bench = WriterBench()
        let outcomes = try bench.decide(
            .send("secret", from: Self.alice, to: Self.bob, id: "m"),
            .redact(1, reason: "x", by: .none),
            .edit(1, "y", by: Self.alice, peer: Self.bob),
            .send("again", from: Self.alice, to: Self.bob, id: "m"),
            .redact(2, reason: "x", by: .none)
        )
        #expect(
            outcomes == [
                .stored(last: 1), .stored(last: 2), .refused(.noSuchMessage), .stored(last: 3), .stored(last: 4),
            ]
        )
        #expect(bench.decider.batch.redactions == [1, 2])
    }

    @Test func `the id of a redacted message is forgotten with it, and that of another kept`() throws {
        for projectedUpTo in [0, 9, 11] as [Offset] {
            var (bench, account) = try makeBench()
            let send = Command.send("3", from: account, to: Self.bob, id: "m")
            let other = Command.send("other", from: account, to: Self.bob, id: "n")
            #expect(try bench.decide(send, other) == [.duplicate(3), .stored(last: 10)])
            #expect(try bench.decide(.redact(3, reason: "x", by: .none)) == [.stored(last: 11)])
            bench.views.project(upTo: projectedUpTo)
            #expect(try bench.decide(send, other, send) == [.stored(last: 12), .duplicate(10), .duplicate(12)])
        }
    }

    @Test func `after a start, a message with an id is redacted once the view knows all ids`() throws {
        var bench = try makeBench().bench
        bench.views.project(upTo: 8)
        try bench.restart()
        let redact = Command.redact(3, reason: "x", by: .none)
        #expect(try bench.decide(redact) == [.refused(.unavailable)])
        bench.views.project()
        #expect(try bench.decide(redact) == [.stored(last: 10)])
    }

    @Test func `a redaction that was rolled back hasn't happened`() throws {
        var (bench, account) = try makeBench()
        bench.begin()
        #expect(bench.decide(next: .redact(3, reason: "x", by: .none)) == .stored(last: 10))
        bench.rollBack()
        let outcomes = try bench.decide(
            .send("3", from: account, to: Self.bob, id: "m"),
            .edit(3, "y", by: account, peer: Self.bob),
            .redact(3, reason: "x", by: .none)
        )
        #expect(outcomes == [.duplicate(3), .stored(last: 10), .stored(last: 11)])
    }

    // MARK: Accounts

    private func erasure(_ account: AccountID, _ bench: WriterBench) -> Command {
        .eraseUser(.init(account: account, names: bench.names(of: account), reason: "asked", actor: .none))
    }

    @Test func `an erased account's name is free for another, and nobody acts as it`() throws {
        for restarts in [false, true] {
            for projectedUpTo in [0, 9, 10] as [Offset] {
                var (bench, account) = try makeBench()
                let name = try AccountName("alice")
                #expect(try bench.decide(erasure(account, bench)) == [.stored(last: 10)])
                let header = try #require(bench.decider.batch.entries.first?.header)
                #expect(header.type == .userErased)
                #expect((header.actor, header.subject, header.stream) == (.none, account, account))
                #expect(bench.decider.batch.releasedNames == [name.utf8])
                bench.views.project(upTo: projectedUpTo)
                if restarts { try bench.restart() }
                let commands: [Command] = [
                    .send("x", from: account, to: Self.bob), .send("x", from: Self.bob, to: account),
                    .markRead(by: account, peer: Self.bob),
                    .edit(3, "x", by: account, peer: Self.bob), .delete(3, by: account, peer: Self.bob),
                    .recordLogin(account, address: "::1", port: 1), .recordFailedLogin(account, address: "::1"),
                    .createRoom(Sample.id(0xa1), by: account),
                    .createRoom(Sample.id(0xa1), by: Self.bob, with: account),
                    .addMember(account, to: Self.room, by: Self.bob),
                    .addMember(Self.alice, to: Self.room, by: account),
                    .removeMember(Self.bob, from: Self.room, by: account), .recordAuditorRead(account, request: "x"),
                    .redact(3, reason: "x", by: account),
                ]
                bench.begin()
                for command in commands { #expect(bench.decide(next: command) == .refused(.noSuchAccount)) }
                bench.rollBack()
                #expect(try bench.decide(erasure(account, bench)) == [.unchanged(0)])
                let outcome = try bench.decide(.admitGuest(name))[0]
                guard case .account(let new, 11) = outcome else {
                    Issue.record("no new account: \(outcome)")
                    return
                }
                #expect(new != account)
                #expect(bench.names(of: new) == [name])
                #expect(try bench.decide(.send("x", from: new, to: Self.bob)) == [.stored(last: 12)])
            }
        }
    }

    @Test func `names change hands in the order of the batch`() throws {
        var (bench, account) = try makeBench()
        let name = try AccountName("alice")
        let command = erasure(account, bench)
        bench.begin()
        #expect(bench.decide(next: command) == .stored(last: 10))
        guard case .account(let second, 11) = bench.decide(next: .register(name)) else {
            Issue.record("the name isn't free")
            return
        }
        let next = Command.UserErasure(account: second, names: [name], reason: "", actor: .none)
        #expect(bench.decide(next: .eraseUser(next)) == .stored(last: 12))
        guard case .account(let third, 13) = bench.decide(next: .admitGuest(name)) else {
            Issue.record("the name isn't free again")
            return
        }
        try bench.commit()
        #expect(Set([account, second, third]).count == 3)
        #expect(bench.names(of: third) == [name])
        #expect(bench.names(of: second).isEmpty)
    }

    @Test func `an account is erased under its own names only`() throws {
        var (bench, account) = try makeBench()
        let (alice, bob) = (try AccountName("alice"), try AccountName("bob"))
        for names in [[], [bob], [alice, bob], [try AccountName("nobody")]] {
            let command = Command.UserErasure(account: account, names: names, reason: "", actor: .none)
            #expect(try bench.decide(.eraseUser(command)) == [.refused(.noSuchAccount)])
        }
        #expect(bench.head == 9)
        #expect(try bench.decide(.register(alice)) == [.refused(.accountTaken)])
    }

    @Test func `registrations are erased with their account, in one batch or later`() throws {
        var (bench, account) = try makeBench()
        bench.begin()
        #expect(bench.decide(next: erasure(account, bench)) == .stored(last: 10))
        #expect(bench.decide(next: .redact(1, reason: "x", by: .none)) == .stored(last: 11))
        bench.rollBack()
        #expect(try bench.decide(.redact(1, reason: "x", by: .none)) == [.refused(.notErasable)])
        try bench.decide(erasure(account, bench))
        #expect(try bench.decide(.redact(1, reason: "x", by: .none)) == [.stored(last: 11)])
        #expect(bench.decider.batch.entries[0].header.stream == account)
    }

    @Test func `an erasure that was rolled back leaves the account and its name`() throws {
        var (bench, account) = try makeBench()
        bench.begin()
        #expect(bench.decide(next: erasure(account, bench)) == .stored(last: 10))
        #expect(bench.decide(next: .send("x", from: account, to: Self.bob)) == .refused(.noSuchAccount))
        bench.rollBack()
        let outcomes = try bench.decide(
            .admitGuest(try AccountName("alice")),
            .send("x", from: account, to: Self.bob)
        )
        #expect(outcomes == [.account(account, 0), .stored(last: 10)])
    }

    // MARK: Attestations and auditors

    @Test(arguments: [0, 10, .max] as [Offset])
    func `an attestation is of an event that is on disk`(offset: Offset) throws {
        var bench = try makeBench().bench
        bench.begin()
        _ = bench.decide(next: .send("10", from: Self.alice, to: Self.bob))
        #expect(bench.decide(next: .attest([Sample.attested("a", 1)], at: offset)) == .refused(.noSuchEvent))
    }

    @Test func `an attestation is nobody's and in the stream of its own`() throws {
        var bench = try makeBench().bench
        let views = [Sample.attested("a", 1), Sample.attested("b", 2)]
        #expect(try bench.decide(.attest(views, at: 9)) == [.stored(last: 10)])
        let batch = bench.decider.batch
        let header = batch.entries[0].header
        #expect((header.actor, header.subject, header.stream) == (.none, .system, .system))
        #expect((header.reference, header.revision) == (9, 2))
        #expect(try batch.withRecord(at: 0) { try $0.decodePayload() } == .viewAttested(views))
    }

    @Test func `what an auditor reads is noted in the auditor's stream, and can be redacted`() throws {
        var bench = try makeBench().bench
        let outcomes = try bench.decide(
            .recordAuditorRead(Self.bob, request: "/audit/events?user=alice"),
            .redact(10, reason: "x", by: .none)
        )
        #expect(outcomes == [.stored(last: 10), .stored(last: 11)])
        let batch = bench.decider.batch
        let header = batch.entries[0].header
        #expect((header.actor, header.subject, header.stream) == (Self.bob, Self.bob, Self.bob))
        #expect(header.payloadClass == .personal)
        #expect(
            try batch.withRecord(at: 0) { try $0.decodePayload() } == .auditorRead(request: "/audit/events?user=alice")
        )
    }
}
