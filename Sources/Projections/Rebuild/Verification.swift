package import Broker
internal import Foundation
internal import LMDB

/// A view compared with what the log gives when it is replayed.
package struct Verification: Sendable {
    /// The view's name.
    package var view: String
    /// The digest of the view in use.
    package var live: ViewDigest
    /// The digest of the replay, up to the checkpoint of ``live``.
    package var replayed: ViewDigest
    /// Where they first differ; nil if every byte of every row is the same.
    package var difference: ViewDifference?

    /// Whether nothing differs.
    package var isIdentical: Bool { difference == nil && live.digest == replayed.digest && live.damage.isEmpty }

    /// Compares the view in `directory`, which another process may be writing to.
    package init(
        of projection: any Projection.Type,
        in directory: String,
        log: EventLog,
        scratch: String,
        report: Rebuild.Report = { _ in }
    ) throws {
        let store = try ViewStore(projection, readOnlyDirectory: directory)
        try self.init(of: store, log: log, scratch: scratch, report: report)
    }

    /// Compares `store`.
    ///
    /// - Parameter scratch: A directory in which temporary ones are made; about twice the view's size.
    init(of store: ViewStore, log: EventLog, scratch: String, report: Rebuild.Report) throws {
        let projection = store.projection
        let folder = "\(scratch)/verify-\(projection.name)-\(UUID().uuidString)"
        let files = FileManager.default
        try files.createDirectory(
            atPath: folder + "/live",
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
        defer { try? files.removeItem(atPath: folder) }
        // The view goes on; its copy has one checkpoint, and holds no old page of it for the time of a replay.
        try store.environment.copy(to: folder + "/live")
        let live = try ViewStore(projection, readOnlyDirectory: folder + "/live")
        let end = try live.checkpoint().offset
        // The view may have moved on with its log since this process looked where the log ends.
        if log.isReadOnly { try log.refreshHead() }
        if try live.checkpoint().reasonNotOn(log) == nil {
            try Rebuild.build(projection, from: log, upTo: end, into: folder + "/replayed", report: report)
        } else {
            // Then there is nothing to replay to: the comparison is with an empty view.
            try Rebuild.build(projection, from: log, upTo: 0, into: folder + "/replayed", report: report)
        }
        let replayed = try ViewStore(projection, readOnlyDirectory: folder + "/replayed")
        view = projection.name
        self.live = try ViewDigest(live)
        self.replayed = try ViewDigest(replayed)
        difference = try ViewDifference.first(between: live, and: replayed)
    }
}
