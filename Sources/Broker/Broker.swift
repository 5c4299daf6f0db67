internal import Dispatch
internal import Foundation
internal import LMDB
internal import Synchronization

/// Takes commands, decides on them one after the other, and makes what follows durable: the only one who appends.
///
/// Commands are put on a queue from any thread. One thread of the broker's swaps the queue, decides, commits the whole
/// batch with one flush, and hands it on to the subscribers. While it flushes, the next batch forms by itself.
///
/// Source: group commit as in DeWitt et al., "Implementation Techniques for Main Memory Database Systems", 1984.
package final class Broker: Sendable {
    /// How the broker works.
    package struct Options: Sendable {
        /// The most events of a commit.
        ///
        /// One command's events are never split.
        package var batchEvents: Int
        /// The most bytes of a commit; as much again may come by the last command.
        package var batchBytes: Int
        /// The most commands that wait; what comes then is refused as unavailable.
        package var queueEvents: Int
        package var limits: DecisionLimits

        package init(
            batchEvents: Int = 4096,
            batchBytes: Int = 8 << 20,
            queueEvents: Int = 65_536,
            limits: DecisionLimits = .init()
        ) {
            self.batchEvents = batchEvents
            self.batchBytes = batchBytes
            self.queueEvents = queueEvents
            self.limits = limits
        }
    }

    /// Where the answer to a command goes.
    package struct Origin: Sendable {
        /// The index of the sink, below the count given to `init`; negative: nobody.
        package var sink: Int
        /// Comes back in the receipt.
        package var ticket: UInt64

        package init(sink: Int, ticket: UInt64) {
            self.sink = sink
            self.ticket = ticket
        }
    }

    package let log: EventLog
    let queue: CommandQueue
    private let options: Options
    private let sinks: Int
    private let subscribers = Mutex<[any CommitSubscriber]>([])
    private let clock: @Sendable () -> UInt64
    private let failed = Mutex<String?>(nil)
    private let hasStarted = Atomic(false)
    private let finished = DispatchSemaphore(value: 0)
    private let onFailure: @Sendable (String) -> Void

    /// Makes a broker; ``start(state:projected:subscribers:)`` sets it going.
    ///
    /// - Parameters:
    ///   - sinks: How many sinks of receipts there are besides the broker's own, which serves ``execute(_:)``.
    ///   - clock: Milliseconds since 1970; only tests give another one than the machine's.
    ///   - onFailure: Told once if the log can't go on at all (a flush failed and the disk isn't full).
    package init(
        log: EventLog,
        options: Options = .init(),
        sinks: Int = 0,
        clock: @escaping @Sendable () -> UInt64 = Broker.now,
        onFailure: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.log = log
        self.options = options
        self.sinks = sinks
        self.clock = clock
        self.onFailure = onFailure
        queue = CommandQueue(capacity: options.queueEvents)
    }

    /// The machine's clock, in milliseconds since 1970.
    package static let now: @Sendable () -> UInt64 = { UInt64(max(0, Date().timeIntervalSince1970 * 1000)) }

    /// Why the log can't go on; nil as long as it can.
    package var failure: String? { failed.withLock { $0 } }

    /// Starts the writer, after it has taken in what the views haven't projected yet.
    ///
    /// The views must not project before this returns: what they say and what the writer adds would overlap.
    ///
    /// - Parameters:
    ///   - state: What the views know.
    ///   - projected: The least of their checkpoints.
    ///   - subscribers: Who follows the log, in the order in which they are told.
    /// - Returns: The accounts that have been erased so far.
    /// - Throws: What reading the log throws.
    @discardableResult
    package func start(
        state: any DecisionState,
        projected: Offset,
        subscribers: [any CommitSubscriber]
    ) throws -> Set<AccountID> {
        self.subscribers.withLock { $0 = subscribers }
        let log = log
        var warm = Decider(
            limits: options.limits,
            state: state,
            head: log.head,
            erased: try state.erasedAccounts().value,
            findAccount: { try log.accountID(named: $0) },
            findEvent: { try log.withRecord(at: $0) { Decider.FoundEvent($0) } }
        )
        try log.read(after: projected) { record in
            try warm.replay(record.header, at: record.offset)
            return true
        }
        let erased = warm.erased
        let work = Work(broker: self, decider: warm)
        let finished = finished
        let thread = Thread {
            work.run()
            finished.signal()
        }
        thread.name = "log-writer"
        hasStarted.store(true, ordering: .releasing)
        thread.start()
        return erased
    }

    /// Puts a command on the queue.
    ///
    /// Its answer goes to the sink as a receipt, in the order of submission.
    ///
    /// - Parameter wakesWriter: Who submits many in a row says no, and calls ``wakeWriter()`` after the last: a writer
    ///   that wakes at the first may commit it by itself.
    /// - Returns: False if too much is waiting already or the broker has stopped; there will be no receipt then.
    package func submit(_ command: Command, origin: Origin, wakesWriter: Bool = true) -> Bool {
        let submission = Submission(task: .command(command), sink: origin.sink, ticket: origin.ticket)
        return queue.append(submission, wakes: wakesWriter)
    }

    /// Wakes the writer for what was submitted without doing so.
    package func wakeWriter() { queue.wakeWriter() }

    /// Puts a command on the queue and waits for its answer.
    ///
    /// - Parameter wakesWriter: As for ``submit(_:origin:wakesWriter:)``.
    package func execute(_ command: Command, wakesWriter: Bool = true) async -> Outcome {
        await withCheckedContinuation { continuation in
            let submission = Submission(task: .command(command), reply: { continuation.resume(returning: $0) })
            if !queue.append(submission, wakes: wakesWriter) { continuation.resume(returning: .refused(.unavailable)) }
        }
    }

    /// Writes the log's file anew without what is no longer in it, as ``EventLog/compact()`` does, between two commits.
    ///
    /// Commands wait meanwhile; reads go on.
    ///
    /// - Throws: ``Refusal/unavailable`` if too much is waiting or the broker has stopped; what the log throws, for
    ///   one for want of room. The log is then as it was.
    package func compactLog() async throws {
        try await withCheckedThrowingContinuation { continuation in
            let submission = Submission(task: .compaction { continuation.resume(with: $0) })
            if !queue.append(submission) { submission.refuse() }
        }
    }

    /// Commits what is waiting and ends the writer.
    ///
    /// Commands that come later are refused. Blocks until it is done.
    package func stop() {
        _ = queue.close()
        guard hasStarted.load(ordering: .acquiring) else { return refuseWaiting() }
        finished.wait()
        // Whoever else waits for the end may go on as well.
        finished.signal()
    }

    /// Answers those who came before a start that failed.
    private func refuseWaiting() {
        var waiting: [Submission] = []
        while queue.take(&waiting) {
            for submission in waiting { submission.refuse() }
            waiting.removeAll()
        }
    }

    private func run(_ decider: inout Decider) {
        var waiting: [Submission] = []
        while queue.take(&waiting) {
            var index = 0
            while index < waiting.count {
                index = commit(waiting, from: index, &decider)
            }
            waiting.removeAll(keepingCapacity: true)
        }
    }

    /// Decides on as many commands as fit a commit and makes them durable.
    ///
    /// - Returns: The index of the first command that is left.
    private func commit(_ waiting: [Submission], from start: Int, _ decider: inout Decider) -> Int {
        if case .compaction(let done) = waiting[start].task {
            done(failure == nil ? Result { try log.compact() } : .failure(Refusal.unavailable))
            return start + 1
        }
        decider.begin(head: log.head, milliseconds: max(clock(), log.lastMilliseconds))
        var outcomes: [Outcome] = []
        outcomes.reserveCapacity(min(waiting.count - start, options.batchEvents))
        var end = start
        while end < waiting.count, decider.batch.entries.count < options.batchEvents,
            decider.batch.bytes.count < options.batchBytes, case .command(let command) = waiting[end].task
        {
            outcomes.append(failure == nil ? decider.decide(command) : .refused(.unavailable))
            end += 1
        }
        let batch = decider.batch
        do {
            if !batch.isEmpty { try log.append(batch) }
            decider.commit()
            answer(waiting, from: start, outcomes, batch)
        } catch {
            // Nothing of the batch is in the log, so what was decided on top of it doesn't hold either.
            decider.rollBack()
            if !WriteFailure.isForWantOfSpace(error, directory: log.directory) { fail(error) }
            let refusals = outcomes.map { _ in Outcome.refused(.unavailable) }
            answer(waiting, from: start, refusals, EventBatch(first: log.head + 1))
        }
        return end
    }

    /// - Parameter start: The index of the submission that the first outcome is of.
    private func answer(_ waiting: [Submission], from start: Int, _ outcomes: [Outcome], _ events: EventBatch) {
        var receipts = [[Receipt]](repeating: [], count: sinks)
        // By index: a submission as a whole isn't copied then.
        for (index, outcome) in outcomes.enumerated() where waiting[start + index].sink >= 0 {
            receipts[waiting[start + index].sink].append(
                Receipt(ticket: waiting[start + index].ticket, outcome: outcome)
            )
        }
        let committed = CommittedBatch(events: events, receipts: receipts)
        for subscriber in subscribers.withLock({ $0 }) { subscriber.committed(committed) }
        for (index, outcome) in outcomes.enumerated() { waiting[start + index].reply?(outcome) }
    }

    private func fail(_ error: any Error) {
        let reason = "the log can't be written: \(error)"
        failed.withLock { $0 = reason }
        onFailure(reason)
    }

    /// What the writer's thread has in its hands.
    ///
    /// It lets go of it before it says that it has finished, so that the log can be opened again as soon as
    /// ``Broker/stop()`` returns and nobody else holds it.
    private final class Work: Sendable {
        private let content: Mutex<(broker: Broker, decider: Decider)?>

        init(broker: Broker, decider: Decider) { content = Mutex((broker, decider)) }

        func run() {
            guard var taken = content.withLock({ $0.take() }) else { return }
            taken.broker.run(&taken.decider)
        }
    }
}

extension Decider.FoundEvent {
    init(_ record: borrowing Record) {
        header = record.header
        isRedacted = record.isRedacted
        messageID = record.header.type == .messageSent ? [UInt8](copying: MessagePayload.id(of: record.payload)) : []
    }
}
