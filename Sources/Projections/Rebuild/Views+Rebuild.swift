internal import Broker
internal import Foundation
internal import Synchronization

extension Views {
    /// Builds a view anew beside the one in use and then shows it in its place.
    ///
    /// No query fails or waits meanwhile, and none sees an older checkpoint than the ones before. Blocks until that is
    /// done.
    ///
    /// A view that has failed works again afterwards, unless it fails at the same event.
    ///
    /// - Throws: ``Rebuild/InProgress``, ``PoisonEvent``, ``LMDBError``, what `report` throws; the view in use is then
    ///   as it was.
    package func rebuild(
        _ projection: any Projection.Type,
        batchEvents: Int = Rebuild.defaultBatchEvents,
        report: Rebuild.Report = { _ in }
    ) throws {
        guard let worker = workers.first(where: { $0.view.projection == projection }) else {
            preconditionFailure("no view of \(projection.name)")
        }
        let name = projection.name
        guard rebuilding.withLock({ $0.insert(name).inserted }) else { throw Rebuild.InProgress(view: name) }
        defer { rebuilding.withLock { _ = $0.remove(name) } }

        let directory = folder.rebuildDirectory(of: projection)
        do {
            let store = try folder.create(projection, in: directory, log: log)
            try fill(store, batchEvents: batchEvents, report: report)
            try worker.adopt(store)
        } catch {
            try? FileManager.default.removeItem(atPath: directory)
            throw error
        }
    }

    /// Rebuilds several views as ``rebuild(_:batchEvents:report:)`` does, at most `parallel` at a time.
    package func rebuild(
        _ projections: [any Projection.Type],
        parallel: Int = 2,
        report: @escaping Rebuild.Report = { _ in }
    ) throws {
        _ = try Rebuild.concurrently(projections, parallel: parallel) { [self] in try rebuild($0, report: report) }
    }

    /// Applies the log until the rest is so little that the worker may do it between two of its transactions.
    private func fill(_ store: ViewStore, batchEvents: Int, report: Rebuild.Report) throws {
        var projector = try Projector(store, log: log, sliceBytes: Rebuild.sliceBytes)
        while try projector.advance(limit: batchEvents) {
            let head = log.head
            try report(Rebuild.Progress(view: store.projection.name, projected: projector.projected, target: head))
            if head - projector.projected <= Self.handOverEvents { return }
        }
    }

    private static let handOverEvents: UInt64 = 4096

    /// Replays the log into a temporary directory below `scratch` up to the view's checkpoint and compares, beside all
    /// that is going on.
    ///
    /// Changes nothing.
    package func verify(
        _ projection: any Projection.Type,
        scratch: String,
        report: Rebuild.Report = { _ in }
    ) throws -> Verification {
        guard let view = all.first(where: { $0.projection == projection }), let store = view.store else {
            throw ViewUnavailable(view: projection.name, reason: .stopped)
        }
        return try Verification(of: store, log: log, scratch: scratch, report: report)
    }

    /// The digest of what a view shows now.
    package func digest(of projection: any Projection.Type) throws -> ViewDigest {
        guard let view = all.first(where: { $0.projection == projection }), let store = view.store else {
            throw ViewUnavailable(view: projection.name, reason: .stopped)
        }
        return try ViewDigest(store)
    }
}
