package import Broker
internal import Dispatch
internal import Foundation
internal import LMDB
internal import Synchronization

/// Views made anew from the log, beside those that are in use.
package enum Rebuild {
    /// How far a rebuild has come.
    package struct Progress: Sendable {
        /// The view's name.
        package var view: String
        /// The last event that it reflects.
        package var projected: Offset
        /// Where it goes.
        package var target: Offset
    }

    /// Told after every transaction, on the thread of that view; throw to give up.
    package typealias Report = @Sendable (Progress) throws -> Void

    /// Events in a transaction.
    ///
    /// More of them rewrite a page less often, but keep more dirty pages in memory. Measured for the view of
    /// conversations, 1.1 million events: 20,000 took 5.9 s, 100,000 3.3 s, 300,000 3.4 s.
    package static let defaultBatchEvents = 100_000
    /// The bytes of events after which a transaction ends early.
    static let sliceBytes = 96 << 20

    /// Builds the view of `projection` in `directory`, which must not be there, from the events up to `end`.
    ///
    /// Returns when the view is on disk and marked clean. The directory is removed if this throws.
    ///
    /// - Parameter end: The last event; nil for the log's head now.
    /// - Throws: ``PoisonEvent``, ``LMDBError``, what `report` throws.
    @discardableResult
    package static func build(
        _ projection: any Projection.Type,
        from log: EventLog,
        upTo end: Offset? = nil,
        into directory: String,
        batchEvents: Int = defaultBatchEvents,
        report: Report = { _ in }
    ) throws -> Checkpoint {
        try build(
            projection,
            from: log,
            upTo: end,
            into: directory,
            batchEvents: batchEvents,
            report: report,
            stops: [],
            inspect: { _ in }
        )
    }

    /// The same, and hands the view to `inspect` when it reflects the events up to each of `stops` and none after.
    static func build(
        _ projection: any Projection.Type,
        from log: EventLog,
        upTo end: Offset?,
        into directory: String,
        batchEvents: Int,
        report: Report,
        stops: Set<Offset>,
        inspect: (ViewStore) throws -> Void
    ) throws -> Checkpoint {
        guard !FileManager.default.fileExists(atPath: directory) else { throw DirectoryExists(path: directory) }
        let folder = ViewFolder(data: "")
        do {
            let store = try folder.create(projection, in: directory, log: log)
            let target = min(end ?? log.head, log.head)
            var projector = try Projector(store, log: log, sliceBytes: sliceBytes)
            for stop in stops.filter({ $0 > 0 && $0 <= target }).sorted() + [target] {
                while try projector.advance(limit: batchEvents, upTo: stop) {
                    try report(Progress(view: projection.name, projected: projector.projected, target: target))
                }
                if stops.contains(stop) { try inspect(store) }
            }
            try store.environment.flush()
            try MachineState.markClean(directory)
            return try store.checkpoint()
        } catch {
            try? FileManager.default.removeItem(atPath: directory)
            throw error
        }
    }

    /// Builds several views below `data` as ``ViewFolder`` has it, at most `parallel` at a time, each on its own
    /// thread.
    ///
    /// - Returns: The checkpoints, in the order of `projections`.
    @discardableResult
    package static func build(
        _ projections: [any Projection.Type],
        from log: EventLog,
        upTo end: Offset? = nil,
        data: String,
        parallel: Int = 2,
        batchEvents: Int = defaultBatchEvents,
        report: @escaping Report = { _ in }
    ) throws -> [Checkpoint] {
        let end = end ?? log.head
        let folder = ViewFolder(data: data)
        return try concurrently(projections, parallel: parallel) { projection in
            try build(
                projection,
                from: log,
                upTo: end,
                into: folder.directory(of: projection),
                batchEvents: batchEvents,
                report: report
            )
        }
    }

    /// Rebuilds a view that no server has open, and puts it in the place of the old one.
    package static func replace(
        _ projection: any Projection.Type,
        in folder: ViewFolder,
        from log: EventLog,
        batchEvents: Int = defaultBatchEvents,
        report: Report = { _ in }
    ) throws -> Checkpoint {
        try folder.cleanUp(projection)
        let directory = folder.rebuildDirectory(of: projection)
        let checkpoint = try build(projection, from: log, into: directory, batchEvents: batchEvents, report: report)
        try folder.exchange(projection)
        return checkpoint
    }

    /// Runs `body` for each of `items`, at most `parallel` at a time.
    ///
    /// - Returns: The results in the order of `items`.
    /// - Throws: The first error in that order, after all have ended.
    static func concurrently<Item: Sendable, Value: Sendable>(
        _ items: [Item],
        parallel: Int,
        _ body: @escaping @Sendable (Item) throws -> Value
    ) throws -> [Value] {
        let next = Atomic(0)
        let results = Mutex<[Result<Value, any Error>?]>(Array(repeating: nil, count: items.count))
        DispatchQueue.concurrentPerform(iterations: min(max(parallel, 1), items.count)) { _ in
            while true {
                let index = next.add(1, ordering: .relaxed).oldValue
                guard index < items.count else { return }
                let result = Result { try body(items[index]) }
                results.withLock { $0[index] = result }
            }
        }
        return try results.withLock { $0 }.compactMap { try $0?.get() }
    }

    /// There is something where a view was to be built.
    package struct DirectoryExists: Error, CustomStringConvertible {
        package var path: String
        package var description: String { "\(path) exists; name a directory that doesn't, or remove it" }
    }

    /// The view is being rebuilt already.
    package struct InProgress: Error, CustomStringConvertible {
        package var view: String
        package var description: String { "the view \(view) is being rebuilt already; try again when that is done" }
    }
}
