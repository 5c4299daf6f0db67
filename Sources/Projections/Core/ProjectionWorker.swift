package import Broker
internal import Dispatch
internal import Foundation
internal import LMDB
internal import Synchronization

/// Keeps one view up to date, on a thread of its own.
///
/// It sleeps when the view has reached the log's head, and goes on when the log's writer says that there is more. An
/// event that it can't take in stops this view and no other; want of room doesn't stop it, it tries again.
package final class ProjectionWorker: CommitSubscriber {
    package let view: View
    private let log: EventLog
    private let folder: ViewFolder
    private let options: Options

    private let promptTypes: EventTypes
    /// The newest batch that has something which doesn't wait.
    private let promptHead = Atomic<Offset>(0)
    private let state = Mutex(State())
    /// Counts one for every change from asleep to busy, and nothing else.
    private let wake = DispatchSemaphore(value: 0)
    private let ended = DispatchSemaphore(value: 0)

    /// How a worker goes about it.
    package struct Options: Sendable {
        /// The most events in a transaction.
        package var batchEvents: Int
        /// How long to wait for more events while nobody waits for the view: fewer and larger transactions.
        package var lingerMilliseconds: Int

        package init(batchEvents: Int = 8192, lingerMilliseconds: Int = 0) {
            self.batchEvents = batchEvents
            self.lingerMilliseconds = lingerMilliseconds
        }
    }

    private struct State {
        var mode = Mode.busy
        var isStarted = false
        var isStopping = false
        /// For the thread to begin with.
        var projector: Projector?
        var replacement: Replacement?
    }

    private enum Mode {
        case busy
        /// Until there is more in the log.
        case asleep
        /// For a moment, so that there is more to do at once.
        case lingering
        /// For want of room, or because the view has failed.
        case waiting
    }

    /// A view built anew that is to take the place of this one.
    private struct Replacement {
        var store: ViewStore
        /// Called once the files of the old one are gone.
        var removed: @Sendable () -> Void
        var done: @Sendable (Result<Void, any Error>) -> Void
    }

    private static let leastBackOffMilliseconds = 50
    private static let mostBackOffMilliseconds = 5000

    init(_ view: View, log: EventLog, folder: ViewFolder, options: Options) {
        self.view = view
        self.log = log
        self.folder = folder
        self.options = options
        promptTypes = view.projection.promptTypes
    }

    /// Starts the thread.
    package func start() throws {
        guard let store = view.store else { throw view.unavailable() }
        let projector = try Projector(store, log: log)
        view.setHurry { [weak self] in self?.wakeUp { $0 == .lingering } }
        state.withLock { state in
            state.isStarted = true
            state.projector = projector
        }
        let thread = Thread { [self] in
            run()
            ended.signal()
        }
        thread.name = "view \(view.name)"
        thread.start()
    }

    /// Ends the thread after the transaction in progress and one for what lingers, flushes the view and marks it clean.
    ///
    /// Returns when that is done and the view is closed. If the writer has stopped, a view that had kept up reflects
    /// the whole log.
    package func stop() {
        let (isFirst, isRunning) = state.withLock { state in
            defer { state.isStopping = true }
            return (!state.isStopping, state.isStarted)
        }
        guard isFirst else { return }
        guard isRunning else { return close() }
        wakeUp { _ in true }
        ended.wait()
    }

    /// The log has grown.
    ///
    /// Any thread.
    package func committed(_ batch: CommittedBatch) {
        let isPrompt = batch.events.types.intersects(promptTypes)
        if isPrompt { promptHead.store(batch.events.last, ordering: .releasing) }
        wakeUp { mode in
            switch mode {
            case .asleep: true
            case .lingering: isPrompt || log.head - view.projected >= Offset(options.batchEvents)
            case .busy, .waiting: false
            }
        }
    }

    /// Brings `store` to where the view is and shows it in the view's place.
    ///
    /// Returns when that is done. If it is, `removed` is called once the files of the old view are gone.
    func adopt(_ store: ViewStore, removed: @escaping @Sendable () -> Void = {}) throws {
        let result = Mutex<Result<Void, any Error>?>(nil)
        let finished = DispatchSemaphore(value: 0)
        let replacement = Replacement(
            store: store,
            removed: removed,
            done: { outcome in
                result.withLock { $0 = outcome }
                finished.signal()
            }
        )
        let accepted = state.withLock { state in
            guard state.isStarted, !state.isStopping, state.replacement == nil else { return false }
            state.replacement = replacement
            return true
        }
        guard accepted else { throw ViewUnavailable(view: view.name, reason: .stopped) }
        wakeUp { _ in true }
        finished.wait()
        try result.withLock { $0 }?.get()
    }

    // MARK: The worker's thread

    private func run() {
        // Handed over by way of the state: a closure that captured it would keep the first store open for ever.
        guard var projector = state.withLock({ $0.projector.take() }) else { return }
        var backOff = Self.leastBackOffMilliseconds
        while true {
            if view.failure == nil { linger(after: projector.projected) }
            if let replacement = state.withLock({ $0.replacement.take() }) { adopt(replacement, for: &projector) }
            if state.withLock({ $0.isStopping }) { break }
            guard view.failure == nil else {
                sleep(.waiting)
                continue
            }
            do {
                let hasAdvanced = try projector.advance(limit: options.batchEvents)
                // Before anybody hears that it goes on, or it sleeps.
                view.setStalled(false)
                backOff = Self.leastBackOffMilliseconds
                if hasAdvanced { view.publish(projector.projected) } else { sleep(.asleep) }
            } catch let error as LMDBError where error.isOutOfSpace {
                view.setStalled(true)
                sleep(.waiting, milliseconds: backOff)
                backOff = min(2 * backOff, Self.mostBackOffMilliseconds)
            } catch {
                view.publish(projector.projected)
                view.fail(error)
            }
        }
        takeInTheRest(with: &projector)
        close()
    }

    /// Takes in the events for which the view was lingering; what takes longer is for the next start.
    private func takeInTheRest(with projector: inout Projector) {
        guard view.failure == nil, log.head - projector.projected <= Offset(options.batchEvents) else { return }
        do {
            if try projector.advance(limit: options.batchEvents) { view.publish(projector.projected) }
        } catch {
            // The next start tries again, and says so if it can't either.
        }
    }

    private func close() {
        do {
            if let environment = view.store?.environment {
                try environment.flush()
                try MachineState.markClean(environment.path)
            }
        } catch {
            // Without the mark the view is rebuilt after a crash of the machine, and only then.
        }
        view.setHurry(nil)
        view.stop()
        let left = state.withLock { $0.replacement.take() }
        left?.done(.failure(ViewUnavailable(view: view.name, reason: .stopped)))
    }

    private func adopt(_ replacement: Replacement, for projector: inout Projector) {
        do {
            var new = try Projector(replacement.store, log: log)
            // Whoever was told an offset of the old one must find it in the new one.
            while new.projected < projector.projected {
                _ = try new.advance(limit: options.batchEvents, upTo: projector.projected)
            }
            let old = projector.store
            try folder.exchange(old, for: new.store)
            projector = new
            _ = view.replace(with: new.store)
            view.publish(new.projected)
            old.retire(replacement.removed)
            replacement.done(.success(()))
        } catch {
            replacement.done(.failure(error))
        }
    }

    private func linger(after projected: Offset) {
        guard options.lingerMilliseconds > 0 else { return }
        let behind = log.head - projected
        guard behind > 0, behind < Offset(options.batchEvents) else { return }
        sleep(.lingering, milliseconds: options.lingerMilliseconds)
    }

    /// Sleeps until ``wakeUp(if:)``, or for the time given, unless there is a reason not to.
    private func sleep(_ mode: Mode, milliseconds: Int? = nil) {
        let sleeps = state.withLock { state in
            guard !state.isStopping, state.replacement == nil else { return false }
            // Looked at under the lock: what comes later finds the new mode and wakes.
            if mode == .asleep, log.head > view.projected { return false }
            if mode == .lingering,
                view.isAwaited || promptHead.load(ordering: .acquiring) > view.projected
                    || log.head - view.projected >= Offset(options.batchEvents)
            {
                return false
            }
            state.mode = mode
            return true
        }
        guard sleeps else { return }
        guard let milliseconds else { return wake.wait() }
        guard wake.wait(timeout: .now() + .milliseconds(milliseconds)) == .timedOut else { return }
        let wasWoken = state.withLock { state in
            defer { state.mode = .busy }
            return state.mode == .busy
        }
        // Somebody woke us just after the time was up: that count must not stay.
        if wasWoken { wake.wait() }
    }

    private func wakeUp(if condition: (Mode) -> Bool) {
        let wakes = state.withLock { state in
            guard state.mode != .busy, condition(state.mode) else { return false }
            state.mode = .busy
            return true
        }
        if wakes { wake.signal() }
    }
}
