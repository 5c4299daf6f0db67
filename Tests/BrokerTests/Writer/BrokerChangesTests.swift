import Cryptography
import LMDB
import Testing

@testable import Broker

/// Edits and deletions by the writer and its log: what a change refers to is looked up on the disk.
@Suite struct BrokerChangesTests {
    private static let alice = Sample.id(1)
    private static let bob = Sample.id(2)

    @Test func `what was written before the start is changed, and stays so over the next`() async throws {
        try await withTemporaryFolder { path in
            do {
                let log = try EventLog(directory: path, mapBytes: 4 << 20)
                try log.append(messages: ["a", "b", "c"], from: Self.alice)
            }
            let deletion = Command.delete(2, by: Self.alice, peer: Self.bob)
            let commands: [(Command, Outcome)] = [
                (.edit(1, "A", by: Self.alice, peer: Self.bob), .stored(last: 4)), (deletion, .stored(last: 5)),
                (.edit(2, "B", by: Self.alice, peer: Self.bob), .refused(.noSuchMessage)),
                (.edit(3, "C", by: Self.bob, peer: Self.alice), .refused(.notAuthor)),
                (.edit(4, "D", by: Self.alice, peer: Self.bob), .refused(.noSuchMessage)),
                (.delete(.max, by: Self.alice, peer: Self.bob), .refused(.noSuchMessage)),
            ]
            try await withBroker(path) { broker in
                for (command, outcome) in commands { #expect(await broker.execute(command) == outcome) }
            }
            try await withBroker(path) { broker in
                #expect(await broker.execute(deletion) == .unchanged(2))
                #expect(await broker.execute(.delete(1, by: Self.alice, peer: Self.bob)) == .stored(last: 6))
            }
            let log = try EventLog(directory: path, mapBytes: 4 << 20)
            #expect(try log.messages().map(\.content) == ["a", "b", "c", "A", "", ""])
            #expect(try log.withRecord(at: 4) { $0.header.reference } == 1)
        }
    }

    @Test func `an erased message is found in the log as such`() async throws {
        try await withTemporaryFolder { path in
            do {
                let log = try EventLog(directory: path, mapBytes: 16 << 20)
                try log.append(messages: ["a"], from: Self.alice)
            }
            try RawLog.change(path) { transaction, tables in
                let redacted: [UInt8]
                do {
                    guard let stored = try transaction.value(of: 1, in: tables.events) else { return }
                    redacted = try Record(stored, at: 1).redacted(with: SHA256())
                }
                try transaction.put(redacted.span, for: 1, in: tables.events)
            }
            try await withBroker(path) { broker in
                let edit = Command.edit(1, "A", by: Self.alice, peer: Self.bob)
                #expect(await broker.execute(edit) == .refused(.noSuchMessage))
                #expect(await broker.execute(.delete(1, by: Self.alice, peer: Self.bob)) == .stored(last: 2))
            }
        }
    }

    /// With views that project nothing, so that a start has all to take in.
    private func withBroker(_ path: String, _ body: (Broker) async throws -> Void) async throws {
        let broker = Broker(log: try EventLog(directory: path, mapBytes: 16 << 20))
        try broker.start(state: FakeViews(), projected: 0, subscribers: [])
        try await body(broker)
        broker.stop()
    }
}
