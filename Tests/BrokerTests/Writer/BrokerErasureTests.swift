import LMDB
import Testing

@testable import Broker

/// Erasures that take several commands, by the broker and its log.
@Suite struct BrokerErasureTests {
    private static let alice = Sample.id(1)
    private static let bob = Sample.id(2)

    @Test func `a redacted message loses all that it was edited to, and others nothing`() async throws {
        try await withBroker { (broker: Broker) async throws in
            let log = broker.log
            for command: Command in [
                .send("1", from: Self.alice, to: Self.bob), .send("2", from: Self.alice, to: Self.bob),
                .edit(1, "3", by: Self.alice, peer: Self.bob), .edit(2, "4", by: Self.alice, peer: Self.bob),
                .edit(1, "5", by: Self.alice, peer: Self.bob),
            ] { _ = await broker.execute(command) }
            #expect(try await broker.redact(1, reason: "r", by: Self.bob) == .init(last: 8, redacted: 3))
            #expect(try redacted(in: log) == [1, 3, 5])
            #expect(try contents(of: log) == ["", "2", "", "4", "", "r", "r", "r"])
            #expect(try redactions(in: log).map(\.reference) == [1, 3, 5])
            #expect(try redactions(in: log).allSatisfy { $0.actor == Self.bob })
            // Once more is nothing new.
            #expect(try await broker.redact(1, reason: "r", by: .none) == .init(last: 0, redacted: 0))
            #expect(log.head == 8)
            // An edit alone goes alone.
            #expect(try await broker.redact(4, reason: "r", by: .none) == .init(last: 9, redacted: 1))
            #expect(try redacted(in: log) == [1, 3, 4, 5])
        }
    }

    /// As if the first redaction had been committed and the server killed.
    @Test func `what an interruption has left is redacted the next time`() async throws {
        try await withBroker { (broker: Broker) async throws in
            _ = await broker.execute(.send("1", from: Self.alice, to: Self.bob))
            for number in 2...600 {
                _ = broker.submit([.edit(1, "\(number)", by: Self.alice, peer: Self.bob)], sink: -1)
            }
            #expect(await broker.execute(.redact(1, reason: "r", by: .none)) == .stored(last: 601))
            let erasure = try await broker.redact(1, reason: "r", by: .none)
            #expect(erasure == .init(last: 1200, redacted: 599))
            #expect(try redacted(in: broker.log) == Array(1...600))
        }
    }

    @Test func `a refusal of the first is one of all`() async throws {
        try await withBroker { (broker: Broker) async throws in
            await #expect(throws: Refusal.noSuchEvent) { try await broker.redact(1, reason: "r", by: .none) }
            await #expect(throws: Refusal.noSuchEvent) { try await broker.redact(0, reason: "r", by: .none) }
            _ = await broker.execute(.admitGuest(try AccountName("guest")))
            await #expect(throws: Refusal.notErasable) { try await broker.redact(1, reason: "r", by: .none) }
            await #expect(throws: Refusal.noSuchAccount) {
                try await broker.eraseUser(Self.alice, reason: "r", by: .none)
            }
            #expect(broker.log.head == 1)
        }
    }

    @Test func `an erased account leaves headers, and what is not its own`() async throws {
        try await withBroker { (broker: Broker) async throws in
            let log = broker.log
            let name = try AccountName("alice")
            guard case .account(let alice, 1) = await broker.execute(.admitGuest(name)),
                case .account(alice, 2) = await broker.execute(.register(name, adoptsGuest: true))
            else {
                Issue.record("no account")
                return
            }
            let room = Sample.id(0xa0)
            let commands: [Command] = [
                .recordLogin(alice, address: "::1", port: 1), .recordFailedLogin(alice, address: "::1"),
                .createRoom(room, by: alice, with: Self.bob),  // 5, 6, 7
                .send("8", from: alice, room: room), .send("9", from: Self.bob, to: alice),
                .send("10", from: alice, to: Self.bob), .edit(10, "11", by: alice, peer: Self.bob),
                .markRead(by: alice, peer: Self.bob), .delete(8, by: alice, room: room),
                .recordAuditorRead(alice, request: "all"),
            ]
            for command in commands { #expect(await broker.execute(command).storedOffset != nil) }
            #expect(log.head == 14)
            let erasure = try await broker.eraseUser(alice, reason: "asked", by: .none)
            #expect(erasure == .init(last: 22, redacted: 7))
            #expect(try redacted(in: log) == [1, 2, 3, 4, 8, 10, 11])
            #expect(try log.accountID(named: name) == nil)
            #expect(try await broker.eraseUser(alice, reason: "asked", by: .none) == .init(last: 0, redacted: 0))
            #expect(await broker.execute(.send("x", from: alice, to: Self.bob)) == .refused(.noSuchAccount))
            guard case .account(let new, 23) = await broker.execute(.register(name)) else {
                Issue.record("the name isn't free")
                return
            }
            #expect(new != alice)
            #expect(try log.accountID(named: name) == new)
        } afterwards: { (broker: Broker) async throws in
            // A start finds in the log who was erased.
            let erased = try broker.log.withRecord(at: 15) { $0.header.subject }
            let account = try #require(erased)
            let outcome = await broker.execute(.send("x", from: account, to: Self.bob))
            #expect(outcome == .refused(.noSuchAccount))
        }
    }

    @Test func `a commit that the disk refuses has redacted and released nothing`() async throws {
        try await withTemporaryFolder { path in
            let broker = Broker(log: try EventLog(directory: path + "/log", mapBytes: 16 << 20))
            try broker.start(state: FakeViews(), projected: 0, subscribers: [])
            let name = try AccountName("guest")
            guard case .account(let guest, 1) = await broker.execute(.admitGuest(name)) else { return }
            _ = await broker.execute(.send("2", from: guest, to: Self.bob))
            let full = try FaultyDisk(device: "/dev/full", under: path + "/log")
            #expect(await broker.execute(.redact(2, reason: "r", by: .none)) == .refused(.unavailable))
            await #expect(throws: Refusal.unavailable) { try await broker.eraseUser(guest, reason: "r", by: .none) }
            full.repair()
            #expect(try redacted(in: broker.log).isEmpty)
            #expect(try broker.log.accountID(named: name) == guest)
            #expect(try await broker.eraseUser(guest, reason: "r", by: .none) == .init(last: 5, redacted: 2))
            broker.stop()
        }
    }

    /// As if the first commit of each erasure had been the last before the server was killed.
    @Test func `what interrupted erasures of accounts have left is redacted by one that finishes them`() async throws {
        try await withBroker { (broker: Broker) async throws in
            let log = broker.log
            var accounts: [AccountID] = []
            for name in ["a", "b", "c"] {
                guard case .account(let id, _) = await broker.execute(.admitGuest(try AccountName(name))) else {
                    Issue.record("no account")
                    return
                }
                accounts.append(id)
            }
            for account in accounts { _ = await broker.execute(.send("x", from: account, to: Self.bob)) }
            #expect(try await broker.finishErasures(by: .none) == .init(last: 0, redacted: 0))
            for account in accounts.prefix(2) {
                let names = try log.names(of: account)
                let command = Command.UserErasure(account: account, names: names, reason: "why", actor: .none)
                _ = await broker.execute(.eraseUser(command))
            }
            #expect(log.head == 8)
            #expect(try await broker.finishErasures(by: Self.bob) == .init(last: 12, redacted: 4))
            #expect(try redacted(in: log) == [1, 2, 4, 5])
            #expect(try redactions(in: log).allSatisfy { $0.actor == Self.bob })
            #expect(try contents(of: log).suffix(4) == ["why", "why", "why", "why"])
            #expect(try await broker.finishErasures(by: .none) == .init(last: 0, redacted: 0))
        }
    }

    @Test func `a damaged event is refused and stays as it is`() async throws {
        try await withTemporaryFolder { path in
            do { try EventLog(directory: path, mapBytes: 16 << 20).append(messages: ["a", "b"]) }
            try RawLog.change(path) { transaction, tables in
                var bytes = try #require(try transaction.bytes(ofEvent: 1, in: tables.events))
                bytes[80] ^= 1
                try transaction.put(bytes.span, for: 1, in: tables.events)
            }
            let broker = Broker(log: try EventLog(directory: path, mapBytes: 16 << 20))
            try broker.start(state: FakeViews(), projected: 2, subscribers: [])
            #expect(await broker.execute(.redact(1, reason: "r", by: .none)) == .refused(.unavailable))
            #expect(await broker.execute(.redact(2, reason: "r", by: .none)) == .stored(last: 3))
            #expect(broker.failure == nil)
            broker.stop()
        }
    }

    // MARK: Support

    private func redacted(in log: EventLog) throws -> [Offset] {
        var found: [Offset] = []
        try log.read(after: 0) { record in
            if record.isRedacted { found.append(record.offset) }
            return true
        }
        return found
    }

    private func redactions(in log: EventLog) throws -> [EventHeader] {
        var found: [EventHeader] = []
        try log.read(after: 0) { record in
            if record.header.type == .payloadRedacted { found.append(record.header) }
            return true
        }
        return found
    }

    /// The contents of messages, and the reasons of redactions, which have the same field.
    private func contents(of log: EventLog) throws -> [String] { try log.messages().map(\.content) }

    private func withBroker(
        _ body: (Broker) async throws -> Void,
        afterwards: (Broker) async throws -> Void = { _ in }
    ) async throws {
        try await withTemporaryFolder { path in
            try await run(path, body)
            try await run(path, afterwards)
        }
    }

    private func run(_ path: String, _ body: (Broker) async throws -> Void) async throws {
        let broker = Broker(log: try EventLog(directory: path, mapBytes: 64 << 20))
        // Views that project nothing: each start has all to take in.
        try broker.start(state: FakeViews(), projected: 0, subscribers: [])
        try await body(broker)
        broker.stop()
    }
}

extension WriteTransaction {
    fileprivate func bytes(ofEvent offset: Offset, in table: Table) throws -> [UInt8]? {
        guard let value = try value(of: offset, in: table) else { return nil }
        return [UInt8](copying: value)
    }
}
