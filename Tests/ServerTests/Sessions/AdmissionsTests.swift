import Broker
import Dispatch
import Foundation
import NIOCore
import NIOEmbedded
import Synchronization
import Testing

@testable import Server

/// Guests whom handshakes wait for, with a real log and a clock that the test moves.
@Suite struct AdmissionsTests {
    /// Takes batches on the writer's thread.
    private final class Sink: CommitSubscriber {
        private let batches = Mutex<[CommittedBatch]>([])
        private let arrived = DispatchSemaphore(value: 0)

        func committed(_ batch: CommittedBatch) {
            batches.withLock { $0.append(batch) }
            arrived.signal()
        }

        /// The receipts of the next batch; nil if none comes.
        func next() -> [Receipt]? {
            guard arrived.wait(timeout: .now() + 20) == .success else { return nil }
            return batches.withLock { $0.removeFirst().receipts[0] }
        }
    }

    /// What the completions were called with.
    private final class Outcomes {
        var all: [Outcome] = []
    }

    private func run(_ body: (Admissions, EmbeddedEventLoop, Broker, Sink) throws -> Void) throws {
        let folder = NSTemporaryDirectory() + "admissions-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let sink = Sink()
        let broker = Broker(log: try EventLog(directory: folder, mapBytes: 64 << 20), sinks: 1)
        try broker.start(state: NothingKnown(), projected: 0, subscribers: [sink])
        defer { broker.stop() }
        let loop = EmbeddedEventLoop()
        try body(Admissions(broker: broker, loop: loop, sink: 0), loop, broker, sink)
    }

    @Test func `guests of whom each comes soon after the other share a commit, and each hears of its own`() throws {
        try run { admissions, loop, broker, sink in
            let outcomes = Outcomes()
            for index in 0..<10 {
                admissions.admit(try AccountName("guest\(index % 9)")) { outcomes.all.append($0) }
                loop.advanceTime(by: .microseconds(200))
            }
            loop.advanceTime(by: .milliseconds(1))
            let receipts = try #require(sink.next())
            #expect(receipts.count == 10)
            for receipt in receipts {
                let guest = try #require(admissions.resolve(receipt))
                guest.then(guest.outcome)
                #expect(admissions.resolve(receipt) == nil)
            }
            let offsets: [Offset?] = outcomes.all.map { if case .account(_, let offset) = $0 { offset } else { nil } }
            // The last has the first one's name, and is let in by no event of its own.
            #expect(offsets == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0])
            #expect(broker.log.head == 9)
        }
    }

    @Test func `who comes first doesn't wait for as long as others come`() throws {
        try run { admissions, loop, _, sink in
            for index in 0..<17 {
                loop.advanceTime(by: .microseconds(200))
                admissions.admit(try AccountName("guest\(index)")) { _ in }
            }
            // The clock stands still from here on: somebody has come within each linger.
            #expect(try #require(sink.next()).count > 0)
        }
    }

    @Test func `what is no guest's receipt is left to the sessions`() throws {
        try run { admissions, _, _, _ in
            #expect(admissions.resolve(Receipt(ticket: 1, outcome: .stored(last: 1))) == nil)
        }
    }

    @Test func `a broker that takes no more refuses at once`() throws {
        try run { admissions, _, broker, _ in
            broker.stop()
            let outcomes = Outcomes()
            admissions.admit(try AccountName("late")) { outcomes.all.append($0) }
            #expect(outcomes.all == [.refused(.unavailable)])
        }
    }
}
