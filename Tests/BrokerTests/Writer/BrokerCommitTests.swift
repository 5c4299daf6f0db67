import Foundation
import LMDB
import Synchronization
import Testing

@testable import Broker

/// Commands in, commits and receipts out.
@Suite struct BrokerCommitTests {
    private static let alice = Sample.id(1)
    private static let bob = Sample.id(2)

    @Test func `receipts come to each sink in the order of submission, and what they say is in the log`() throws {
        try withBroker(sinks: 6) { broker, recorder in
            DispatchQueue.concurrentPerform(iterations: 6) { sink in
                for number in 0..<500 {
                    let command = Command.send("\(sink) \(number)", from: Sample.id(UInt8(sink + 1)), to: Sample.id(99))
                    while !broker.submit(command, origin: .init(sink: sink, ticket: UInt64(number))) {}
                }
            }
            broker.stop()
            let log = try broker.log.messages()
            #expect(log.count == 3000)
            var seen: Set<Offset> = []
            for sink in 0..<6 {
                let receipts = recorder.receipts(of: sink)
                #expect(receipts.map(\.ticket) == Array(0..<500))
                for receipt in receipts {
                    let offset = try #require(receipt.outcome.storedOffset)
                    #expect(log[Int(offset) - 1].content == "\(sink) \(receipt.ticket)")
                    #expect(seen.insert(offset).inserted)
                }
            }
            #expect(recorder.commits.reduce(0) { $0 + $1.entries.count } == 3000)
            #expect(recorder.commits.map(\.first) == [1] + recorder.commits.dropLast().map(\.next))
        }
    }

    @Test func `what waits shares a commit, up to the most events of one`() throws {
        try withBroker(options: .init(batchEvents: 100), isStarted: false) { broker, recorder in
            let commands = (0..<1050).map { Command.send("\($0)", from: Self.alice, to: Self.bob) }
            #expect(broker.submit(commands) == 1050)
            try start(broker, recorder)
            broker.stop()
            #expect(recorder.commits.map(\.entries.count) == [Int](repeating: 100, count: 10) + [50])
            #expect(recorder.receipts(of: 0).map(\.outcome) == (1...1050).map { .stored(last: $0) })
        }
    }

    @Test func `a commit ends when it has the most bytes`() throws {
        try withBroker(options: .init(batchBytes: 10_000), isStarted: false) { broker, recorder in
            let text = String(repeating: "x", count: 4000)
            #expect(broker.submit((0..<9).map { _ in Command.send(text, from: Self.alice, to: Self.bob) }) == 9)
            try start(broker, recorder)
            broker.stop()
            #expect(recorder.commits.map(\.entries.count) == [3, 3, 3])
        }
    }

    @Test func `the events of one command are never split`() throws {
        try withBroker(options: .init(batchEvents: 1), isStarted: false) { broker, recorder in
            let members = (10..<15).map { Sample.id($0) }
            let room = Command.createRoom(Sample.id(0xa0), creator: Self.alice, name: "r", members: members)
            #expect(broker.submit([room, .send("x", from: Self.alice, to: Self.bob)]) == 2)
            try start(broker, recorder)
            broker.stop()
            #expect(recorder.commits.map(\.entries.count) == [7, 1])
            #expect(recorder.receipts(of: 0).map(\.outcome) == [.stored(last: 7), .stored(last: 8)])
        }
    }

    @Test func `commands that append nothing are answered without a commit`() throws {
        try withBroker(isStarted: false) { broker, recorder in
            let commands: [Command] = [
                .markRead(by: Self.alice, peer: Self.bob), .send("x", from: Self.alice, room: Sample.id(9)),
                .send("x", from: Self.alice, to: Self.bob, id: "m"),
                .send("x", from: Self.alice, to: Self.bob, id: "m"),
            ]
            #expect(broker.submit(commands) == 4)
            try start(broker, recorder)
            broker.stop()
            let outcomes = recorder.receipts(of: 0).map(\.outcome)
            #expect(outcomes == [.unchanged(0), .refused(.noSuchRoom), .stored(last: 1), .duplicate(1)])
            #expect(recorder.commits.count == 1)
        }
    }

    @Test func `a full queue takes no more, and forgets nothing that it took`() async throws {
        try await withTemporaryFolder { path in
            let views = FakeViews()
            let recorder = Recorder(views: views)
            let log = try EventLog(directory: path, mapBytes: 4 << 20)
            let broker = Broker(log: log, options: .init(queueEvents: 3), sinks: 1)
            let commands = (0..<5).map { Command.send("\($0)", from: Self.alice, to: Self.bob) }
            #expect(broker.submit(commands) == 3)
            #expect(await broker.execute(commands[4]) == .refused(.unavailable))
            try broker.start(state: views, projected: 0, subscribers: [recorder])
            // Once something is answered there is room again.
            #expect(recorder.waitForReceipts(3, of: 0))
            #expect(await broker.execute(commands[4]) == .stored(last: 4))
            broker.stop()
            #expect(try log.messages().map(\.content) == ["0", "1", "2", "4"])
        }
    }

    @Test func `stopping commits what waits, and refuses what comes after`() async throws {
        try await withTemporaryFolder { path in
            let views = FakeViews()
            let recorder = Recorder(views: views)
            let log = try EventLog(directory: path, mapBytes: 4 << 20)
            let broker = Broker(log: log, sinks: 1)
            #expect(broker.submit((0..<2000).map { Command.send("\($0)", from: Self.alice, to: Self.bob) }) == 2000)
            try broker.start(state: views, projected: 0, subscribers: [recorder])
            // Everybody who stops it comes back only when all is done.
            DispatchQueue.concurrentPerform(iterations: 3) { _ in
                broker.stop()
                if log.head != 2000 { Issue.record("stopped at \(log.head)") }
            }
            #expect(recorder.receipts(of: 0).count == 2000)
            #expect(!broker.submit(.send("late", from: Self.alice, to: Self.bob), origin: .init(sink: 0, ticket: 9)))
            #expect(await broker.execute(.send("late", from: Self.alice, to: Self.bob)) == .refused(.unavailable))
            #expect(log.head == 2000)
        }
    }

    @Test func `a broker that never began can be stopped, and answers who waits`() throws {
        try withTemporaryFolder { path in
            let broker = Broker(log: try EventLog(directory: path, mapBytes: 4 << 20))
            let outcomes = Mutex<[Outcome]>([])
            let command = Command.send("x", from: Self.alice, to: Self.bob)
            for _ in 0..<2 {
                let submission = Submission(
                    task: .command(command),
                    reply: { outcome in outcomes.withLock { $0.append(outcome) } }
                )
                #expect(broker.queue.append(submission))
            }
            broker.stop()
            #expect(outcomes.withLock { $0 } == [.refused(.unavailable), .refused(.unavailable)])
            #expect(broker.submit([command], sink: -1) == 0)
        }
    }

    @Test func `time never goes back, whatever the clock does, also over a restart`() throws {
        let clock = Mutex<[UInt64]>([50, 40, 60, 0, 61, 7].reversed())
        try withTemporaryFolder { path in
            for half in 0..<2 {
                let views = FakeViews()
                let log = try EventLog(directory: path, mapBytes: 4 << 20)
                let broker = Broker(log: log, options: .init(batchEvents: 1)) {
                    clock.withLock { $0.popLast() ?? 0 }
                }
                for number in 0..<3 {
                    #expect(
                        broker.submit([.send("\(number)", from: Sample.id(UInt8(half + 1)), to: Self.bob)], sink: -1)
                            == 1
                    )
                }
                try broker.start(state: views, projected: log.head, subscribers: [])
                broker.stop()
            }
            let log = try EventLog(directory: path, mapBytes: 4 << 20)
            var times: [UInt64] = []
            try log.read(after: 0) { record in
                times.append(record.header.milliseconds)
                return true
            }
            #expect(times == [50, 50, 60, 60, 61, 61])
        }
    }

    @Test func `a start reads what the views don't know, and says so if it can't`() throws {
        try withTemporaryFolder { path in
            do {
                let log = try EventLog(directory: path, mapBytes: 16 << 20)
                try log.append(messages: ["a", "b", "c"], from: Self.alice)
            }
            do {
                let broker = Broker(log: try EventLog(directory: path, mapBytes: 16 << 20), sinks: 1)
                let recorder = Recorder()
                #expect(broker.submit([.send("d", from: Self.alice, to: Self.bob)]) == 1)
                try broker.start(state: FakeViews(), projected: 0, subscribers: [recorder])
                broker.stop()
                #expect(recorder.commits.first?.entries.map(\.header.revision) == [4])
            }
            try RawLog.change(path) { transaction, tables in
                try transaction.put([1].span, for: 2, in: tables.events)
            }
            let broker = Broker(log: try EventLog(directory: path, mapBytes: 16 << 20))
            let damaged = #expect(throws: EventLog.Damaged.self) {
                try broker.start(state: FakeViews(), projected: 0, subscribers: [])
            }
            #expect(damaged?.offset == 2)
            broker.stop()
        }
    }

    private func start(_ broker: Broker, _ recorder: Recorder) throws {
        try broker.start(state: FakeViews(), projected: 0, subscribers: [recorder])
    }

    private func withBroker(
        options: Broker.Options = .init(),
        sinks: Int = 1,
        isStarted: Bool = true,
        _ body: (Broker, Recorder) throws -> Void
    ) throws {
        try withTemporaryFolder { path in
            let recorder = Recorder()
            let broker = Broker(log: try EventLog(directory: path, mapBytes: 64 << 20), options: options, sinks: sinks)
            if isStarted { try start(broker, recorder) }
            try body(broker, recorder)
            broker.stop()
        }
    }
}
