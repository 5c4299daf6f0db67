import Dispatch
import Synchronization

@testable import Broker

/// Follows the log like a dispatcher: keeps what it is told, and tells the views at once if it has any.
final class Recorder: CommitSubscriber {
    private struct State {
        var commits: [EventBatch] = []
        var receipts: [[Receipt]] = []
    }

    private let state = Mutex(State())
    private let views: FakeViews?
    private let told = DispatchSemaphore(value: 0)

    init(views: FakeViews? = nil) { self.views = views }

    func committed(_ batch: CommittedBatch) {
        if let views {
            do { try views.follow(batch.events) } catch {
                preconditionFailure("a committed batch that can't be read: \(error)")
            }
            views.project()
        }
        state.withLock { state in
            if !batch.events.isEmpty { state.commits.append(batch.events) }
            while state.receipts.count < batch.receipts.count { state.receipts.append([]) }
            for (sink, receipts) in batch.receipts.enumerated() { state.receipts[sink] += receipts }
        }
        told.signal()
    }

    /// The commits that brought events, oldest first.
    var commits: [EventBatch] { state.withLock { $0.commits } }

    /// Waits until the sink of that index has got `count` receipts; false if that takes a minute.
    func waitForReceipts(_ count: Int, of sink: Int) -> Bool {
        while receipts(of: sink).count < count {
            guard told.wait(timeout: .now() + 60) == .success else { return false }
        }
        return true
    }

    /// What the sink of that index has got.
    func receipts(of sink: Int) -> [Receipt] {
        state.withLock { $0.receipts.indices.contains(sink) ? $0.receipts[sink] : [] }
    }
}

extension Outcome {
    /// The offset of the last event, if there was one.
    var storedOffset: Offset? {
        if case .stored(let last) = self { last } else { nil }
    }
}

extension Broker {
    /// Puts `commands` on the queue with ascending tickets, and tells how many were taken.
    func submit(_ commands: [Command], sink: Int = 0) -> Int {
        commands.enumerated().prefix { submit($1, origin: Origin(sink: sink, ticket: UInt64($0))) }.count
    }
}
