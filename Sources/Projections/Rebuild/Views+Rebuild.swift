internal import Broker
internal import Dispatch
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
    /// - Parameter reader: Where the events come from if other views are rebuilt at the same time; has left when this
    ///   returns or throws.
    /// - Throws: ``Rebuild/InProgress``, ``PoisonEvent``, ``LMDBError``, what `report` throws; the view in use is then
    ///   as it was.
    package func rebuild(
        _ projection: any Projection.Type,
        through reader: SharedReading.Reader? = nil,
        report: Rebuild.Report = { _ in }
    ) throws {
        try rebuild(projection, through: reader, report: report, removed: {})
    }

    /// The same.
    ///
    /// `removed` is called once the old view's files are gone, which is when its last reader is done; never if this
    /// throws.
    private func rebuild(
        _ projection: any Projection.Type,
        through reader: SharedReading.Reader?,
        report: Rebuild.Report,
        removed: @escaping @Sendable () -> Void
    ) throws {
        defer { reader?.leave() }
        guard let worker = workers.first(where: { $0.view.projection == projection }) else {
            preconditionFailure("no view of \(projection.name)")
        }
        let name = projection.name
        guard rebuilding.withLock({ $0.insert(name).inserted }) else { throw Rebuild.InProgress(view: name) }
        defer { rebuilding.withLock { _ = $0.remove(name) } }

        let directory = folder.rebuildDirectory(of: projection)
        do {
            let store = try folder.create(projection, in: directory, log: log, isBuilding: true)
            try fill(store, through: reader, report: report)
            reader?.leave()
            try MachineState.markOpen(directory, bootID: folder.bootID)
            try worker.adopt(store, removed: removed)
        } catch {
            try? FileManager.default.removeItem(atPath: directory)
            throw error
        }
    }

    /// Rebuilds several views at once as ``rebuild(_:through:report:)`` does, from one reading of the log.
    package func rebuild(
        _ projections: [any Projection.Type],
        report: @escaping Rebuild.Report = { _ in }
    ) throws {
        _ = try Rebuild.concurrently(projections, from: log) { [self] in try rebuild($0, through: $1, report: report) }
    }

    /// Takes what is redacted in the log out of the files as well.
    ///
    /// Builds the views that hold texts anew, beside those in use, and removes the old ones, other versions' as well.
    /// In the old files it is in pages that are no longer in use. Returns when they are gone; blocks.
    ///
    /// - Throws: As ``rebuild(_:through:report:)`` does, after all have ended. It may then be called again.
    package func expunge(report: @escaping Rebuild.Report = { _ in }) throws {
        let removals = DispatchGroup()
        let result = Result {
            try Rebuild.concurrently(Self.projectionsWithTexts, from: log) { [self] projection, reader in
                removals.enter()
                do {
                    try rebuild(projection, through: reader, report: report) { removals.leave() }
                } catch {
                    removals.leave()
                    throw error
                }
            }
        }
        removals.wait()
        _ = try result.get()
        for projection in Self.projectionsWithTexts { try folder.removeOtherVersions(of: projection) }
    }

    /// Applies the log until the rest is so little that the worker may do it between two of its transactions.
    private func fill(
        _ store: ViewStore,
        through reader: SharedReading.Reader?,
        report: Rebuild.Report
    ) throws {
        var projector = try Projector(
            store,
            log: log,
            reader: reader,
            bounds: Rebuild.bounds(memoryBytes: Rebuild.memoryBytes)
        )
        while try projector.advance(
            limit: .max,
            progress: {
                try report(Rebuild.Progress(view: store.projection.name, projected: $0, target: log.head))
            }
        ) {
            if log.head - projector.projected <= Self.handOverEvents { return }
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
        attestations: AttestedDigests? = nil,
        report: Rebuild.Report = { _ in }
    ) throws -> Verification {
        guard let view = all.first(where: { $0.projection == projection }), let store = view.store else {
            throw ViewUnavailable(view: projection.name, reason: .stopped)
        }
        return try Verification(of: store, log: log, scratch: scratch, attestations: attestations, report: report)
    }

    /// The digest of what a view shows now.
    package func digest(
        of projection: any Projection.Type,
        check: () throws -> Void = {}
    ) throws -> ViewDigest {
        guard let view = all.first(where: { $0.projection == projection }), let store = view.store else {
            throw ViewUnavailable(view: projection.name, reason: .stopped)
        }
        return try ViewDigest(store, check: check)
    }
}
