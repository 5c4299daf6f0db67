package import Broker
internal import LMDB
internal import Synchronization

/// A view as queries see it: always there, whatever is rebuilt or switched behind it.
///
/// Any thread may call it. A read is a short transaction on the caller's thread; never suspend in one.
package final class View: Sendable {
    /// The projection that fills it.
    package let projection: any Projection.Type

    /// Nil once the view is closed.
    private let current: Mutex<ViewStore?>
    private let reached: Atomic<UInt64>
    private let stalled = Atomic(false)
    private let isOut = Atomic(false)
    private let state = Mutex(State())

    private struct State: ~Copyable {
        var failure: (any Error)?
        var isStopped = false
        var waiters = Waiters()
        /// Tells the worker that somebody waits.
        var hurry: (@Sendable () -> Void)?
    }

    /// Creates a view over `store`; without a worker it stays as it is.
    package init(_ store: ViewStore) throws {
        projection = store.projection
        reached = Atomic(try store.checkpoint().offset)
        current = Mutex(store)
    }

    /// Opens the view in `directory` in order to read it; its owner may be writing to it.
    package convenience init(_ projection: any Projection.Type, readOnlyDirectory directory: String) throws {
        try self.init(ViewStore(projection, readOnlyDirectory: directory))
    }

    /// The view's name.
    package var name: String { projection.name }

    /// The last event that the view reflects.
    package var projected: Offset { reached.load(ordering: .acquiring) }

    /// Why the view has stopped; nil if it hasn't.
    package var failure: (any Error)? { state.withLock { $0.failure } }

    /// Whether the view can't go on for want of room, and tries again.
    package var isStalled: Bool { stalled.load(ordering: .relaxed) }

    /// What queries read now; nil once the view is closed.
    var store: ViewStore? { current.withLock { $0 } }

    /// Runs `body` on a snapshot of the view.
    ///
    /// - Parameter body: Gets the transaction, the tables in the projection's order, and the offset that they reflect.
    /// - Throws: ``ViewUnavailable``, ``LMDBError``, what `body` throws.
    func read<Result>(_ body: (borrowing ReadTransaction, [Table], Offset) throws -> Result) throws -> Result {
        let snapshot = try snapshot()
        return try body(snapshot.transaction, snapshot.tables, snapshot.asOf)
    }

    /// Begins a snapshot of the view, which ends with the value.
    ///
    /// - Throws: ``ViewUnavailable``, ``LMDBError``.
    func snapshot() throws -> ViewSnapshot {
        if isOut.load(ordering: .acquiring) { throw unavailable() }
        guard let store else { throw unavailable() }
        let transaction = try store.environment.snapshot()
        let asOf = try store.offset(in: transaction)
        return ViewSnapshot(transaction, of: store, asOf: asOf)
    }

    // MARK: Waiting

    /// Calls `body` once, as soon as the view has projected `offset`: at once, on this thread, if it has; else on the
    /// view's worker, which it must not keep busy.
    ///
    /// If the view fails or stops, `body` is called as well: a read then says so.
    @discardableResult
    package func whenProjected(_ offset: Offset, _ body: @escaping @Sendable () -> Void) -> ProjectionWait {
        if projected >= offset {
            body()
            return ProjectionWait(view: nil, id: 0)
        }
        let (id, hurry): (UInt64?, (@Sendable () -> Void)?) = state.withLock { state in
            // Looked at again under the lock: the worker publishes first and takes the waiters out after.
            guard projected < offset, state.failure == nil, !state.isStopped else { return (nil, nil) }
            return (state.waiters.add(offset, body), state.hurry)
        }
        guard let id else {
            body()
            return ProjectionWait(view: nil, id: 0)
        }
        hurry?()
        return ProjectionWait(view: self, id: id)
    }

    func cancelWait(_ id: UInt64) { state.withLock { $0.waiters.cancel(id) } }

    /// Whether somebody waits.
    var isAwaited: Bool { state.withLock { !$0.waiters.isEmpty } }

    func unavailable() -> ViewUnavailable {
        state.withLock { state in
            let reason: ViewUnavailable.Reason = state.failure.map { .failed(String(describing: $0)) } ?? .stopped
            return ViewUnavailable(view: name, reason: reason)
        }
    }

    // MARK: For the worker

    func setHurry(_ hurry: (@Sendable () -> Void)?) { state.withLock { $0.hurry = hurry } }

    func setStalled(_ value: Bool) { stalled.store(value, ordering: .relaxed) }

    /// The view has projected `offset`.
    func publish(_ offset: Offset) {
        reached.store(offset, ordering: .releasing)
        for body in state.withLock({ $0.waiters.take(projected: offset) }) { body() }
    }

    /// Shows `store` from now on; reads in progress go on with the one they began with.
    ///
    /// - Returns: What was shown before.
    func replace(with store: ViewStore) -> ViewStore? {
        let old = current.withLock { current in
            let old = current
            current = store
            return old
        }
        state.withLock { $0.failure = nil }
        isOut.store(false, ordering: .releasing)
        return old
    }

    /// The view goes no further.
    func fail(_ error: any Error) { takeOut { $0.failure = error } }

    /// The view is closed; its files are when the last read is done.
    func stop() {
        takeOut { $0.isStopped = true }
        current.withLock { $0 = nil }
    }

    private func takeOut(_ change: (inout State) -> Void) {
        let bodies = state.withLock { state in
            change(&state)
            isOut.store(true, ordering: .releasing)
            return state.waiters.takeAll()
        }
        for body in bodies { body() }
    }
}
