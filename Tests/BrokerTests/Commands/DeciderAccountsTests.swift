import Testing

@testable import Broker

/// Accounts: one for each name, for ever.
@Suite struct DeciderAccountsTests {
    @Test func `a name belongs to one account, also within a batch`() throws {
        var bench = WriterBench()
        let (alice, bob) = (try AccountName("alice"), try AccountName("bob"))
        let outcomes = try bench.decide(.register(alice), .register(alice), .register(bob), .admitGuest(alice))
        let first = try id(outcomes[0])
        #expect(outcomes[0] == .account(first, 1))
        #expect(outcomes[1] == .refused(.accountTaken))
        #expect(outcomes[2] == .account(try id(outcomes[2]), 2))
        #expect(try id(outcomes[2]) != first)
        // Whoever a name belongs to may use it in open mode.
        #expect(outcomes[3] == .account(first, 0))
        #expect(try bench.decide(.register(alice)) == [.refused(.accountTaken)])
        try bench.restart()
        #expect(
            try bench.decide(.register(alice), .admitGuest(bob)) == [
                .refused(.accountTaken), .account(try id(outcomes[2]), 0),
            ]
        )
        #expect(bench.head == 2)
    }

    @Test func `names are told apart by their bytes`() throws {
        var bench = WriterBench()
        let composed = AccountName(trusting: Array("\u{e9}".utf8))
        let decomposed = AccountName(trusting: Array("e\u{301}".utf8))
        let outcomes = try bench.decide(.register(composed), .register(decomposed), .register(try AccountName("É")))
        #expect(Set(try outcomes.map(id)).count == 3)
    }

    @Test func `an account's event is its own stream's first, and holds no more than it must`() throws {
        var bench = WriterBench()
        let outcomes = try bench.decide(.register(try AccountName("小明")), .admitGuest(try AccountName("guest")))
        let headers = bench.decider.batch.entries.map(\.header)
        #expect(headers.map(\.type) == [.userRegistered, .guestSeen])
        #expect(headers.map(\.payloadClass) == [.credential, .personal])
        for (header, outcome) in zip(headers, outcomes) {
            let account = try id(outcome)
            #expect((header.actor, header.subject, header.stream) == (account, account, account))
            #expect(header.revision == 1)
        }
        let payload = try bench.decider.batch.withRecord(at: 0) { try $0.decodePayload() }
        let user = EventPayload.UserRegistered(
            account: try AccountName("小明"),
            username: "u",
            email: "e",
            passwordHash: "h"
        )
        #expect(payload == .userRegistered(user))
        #expect(bench.decider.batch.names.map(\.name) == [Array("小明".utf8), Array("guest".utf8)])
    }

    @Test func `a guest is admitted once, and not registered unless it is adopted`() throws {
        var bench = WriterBench()
        let guest = try AccountName("guest")
        let outcomes = try bench.decide(.admitGuest(guest), .admitGuest(guest), .register(guest))
        let account = try id(outcomes[0])
        #expect(outcomes == [.account(account, 1), .account(account, 0), .refused(.accountTaken)])
        let adopted = try bench.decide(.register(guest, adoptsGuest: true), .register(guest, adoptsGuest: true))
        #expect(adopted == [.account(account, 2), .refused(.accountTaken)])
        let header = try #require(bench.decider.batch.entries.first?.header)
        #expect(header.stream == account)
        #expect(header.revision == 2)
        bench.views.project(upTo: 1)
        try bench.restart()
        #expect(try bench.decide(.register(guest, adoptsGuest: true)) == [.refused(.accountTaken)])
    }

    @Test func `adopting takes a new name too, and never an account`() throws {
        var bench = WriterBench()
        let name = try AccountName("new")
        let outcomes = try bench.decide(.register(name, adoptsGuest: true), .register(name, adoptsGuest: true))
        #expect(outcomes == [.account(try id(outcomes[0]), 1), .refused(.accountTaken)])
    }

    @Test func `a name is free again if its batch was rolled back`() throws {
        var bench = WriterBench()
        let name = try AccountName("alice")
        bench.begin()
        let first = try id(bench.decide(next: .register(name)))
        bench.rollBack()
        let outcome = try bench.decide(.register(name))[0]
        #expect(outcome == .account(try id(outcome), 1))
        #expect(try id(outcome) != first)
        #expect(bench.decider.batch.names.count == 1)
    }

    @Test func `a names table that can't be read refuses accounts and nothing else`() throws {
        struct Broken: Error {}
        let views = FakeViews()
        var decider = Decider(
            limits: .init(),
            state: views,
            head: 0,
            erased: [],
            findAccount: { _ in throw Broken() },
            findEvent: { views.event(at: $0) }
        )
        decider.begin(head: 0, milliseconds: 1)
        let name = try AccountName("alice")
        #expect(decider.decide(.register(name)) == .refused(.unavailable))
        #expect(decider.decide(.admitGuest(name)) == .refused(.unavailable))
        #expect(decider.batch.isEmpty)
        #expect(decider.decide(.send("x", from: Sample.id(1), to: Sample.id(2))) == .stored(last: 1))
    }

    private func id(_ outcome: Outcome) throws -> AccountID {
        guard case .account(let id, _) = outcome else {
            Issue.record("no account: \(outcome)")
            throw Refusal.noSuchAccount
        }
        return id
    }
}
