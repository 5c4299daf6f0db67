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
    /// How many attestations of the view the replay has passed.
    package var attestationsChecked = 0
    /// Those that it doesn't bear out, by the offset that they are of.
    package var refuted: [RefutedAttestation] = []

    /// Whether nothing differs.
    package var isIdentical: Bool {
        difference == nil && live.digest == replayed.digest && live.damage.isEmpty && refuted.isEmpty
    }

    /// Compares the view in `directory`, which another process may be writing to.
    ///
    /// - Parameters:
    ///   - scratch: A directory in which temporary ones are made; about twice the view's size.
    ///   - attestations: Checked as well, as far as the view has come; nil for none. Each costs a look at all rows that
    ///     there are by then.
    package init(
        of projection: any Projection.Type,
        in directory: String,
        log: EventLog,
        scratch: String,
        attestations: AttestedDigests? = nil,
        report: Rebuild.Report = { _ in }
    ) throws {
        let store = try ViewStore(projection, readOnlyDirectory: directory)
        try self.init(of: store, log: log, scratch: scratch, attestations: attestations, report: report)
    }

    /// Compares `store`.
    init(
        of store: ViewStore,
        log: EventLog,
        scratch: String,
        attestations: AttestedDigests?,
        report: Rebuild.Report
    ) throws {
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
        var end = try live.checkpoint().offset
        // The view may have moved on with its log since this process looked where the log ends.
        if log.isReadOnly { try log.refreshHead() }
        // Of another log, there is nothing to replay to: the comparison is with an empty view.
        if try live.checkpoint().reasonNotOn(log) != nil { end = 0 }
        let attested = Dictionary(grouping: attestations?.entries(of: projection) ?? [], by: \.reference)
        var checked = 0
        var refuted: [RefutedAttestation] = []
        _ = try Rebuild.build(
            projection,
            from: log,
            upTo: end,
            into: folder + "/replayed",
            finish: .scratch,
            report: report,
            stops: Set(attested.keys)
        ) { store in
            let digest = try ViewDigest(store)
            for entry in attested[digest.checkpoint.offset] ?? [] {
                checked += 1
                guard entry.digest != digest.digest else { continue }
                refuted.append(RefutedAttestation(view: projection.name, attested: entry, replayed: digest.digest))
            }
        }
        let replayed = try ViewStore(projection, readOnlyDirectory: folder + "/replayed")
        view = projection.name
        self.live = try ViewDigest(live)
        self.replayed = try ViewDigest(replayed)
        difference = try ViewDifference.first(between: live, and: replayed)
        attestationsChecked = checked
        self.refuted = refuted
    }
}
