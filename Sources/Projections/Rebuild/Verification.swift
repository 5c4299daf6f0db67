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
    /// Why the view isn't one of this log, as it is if the log was cut off or put back; nil if it is.
    package var reasonNotOnLog: String?
    /// How many attestations of the view the replay has passed.
    package var attestationsChecked = 0
    /// Those that it doesn't bear out, by the offset that they are of.
    package var refuted: [RefutedAttestation] = []

    /// Whether nothing differs.
    package var isIdentical: Bool {
        reasonNotOnLog == nil && difference == nil && live.digest == replayed.digest && live.damage.isEmpty
            && refuted.isEmpty
    }

    /// Compares the view in `directory`, which another process may be writing to.
    ///
    /// - Parameters:
    ///   - reader: Where the replay's events come from if other views are replayed at the same time.
    ///   - scratch: A directory in which temporary ones are made; about twice the view's size.
    ///   - attestations: Checked as well, as far as the view has come; nil for none. Each costs a look at all rows that
    ///     there are by then.
    /// - Throws: ``ViewDamaged`` if the file is so damaged that nothing can be read from it; ``PoisonEvent``, LMDB's
    ///   errors, what `report` throws.
    package init(
        of projection: any Projection.Type,
        in directory: String,
        log: EventLog,
        through reader: SharedReading.Reader? = nil,
        scratch: String,
        attestations: AttestedDigests? = nil,
        report: Rebuild.Report = { _ in }
    ) throws {
        try Self.verifyPages(of: projection, in: directory)
        let store = try ViewStore(projection, readOnlyDirectory: directory)
        try self.init(
            of: store,
            log: log,
            through: reader,
            scratch: scratch,
            attestations: attestations,
            report: report
        )
    }

    /// Compares `store`.
    init(
        of store: ViewStore,
        log: EventLog,
        through reader: SharedReading.Reader? = nil,
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
        let reasonNotOnLog = try live.checkpoint().reasonNotOn(log)
        if reasonNotOnLog != nil { end = 0 }
        let attested = Dictionary(grouping: attestations?.entries(of: projection) ?? [], by: \.reference)
        var checked = 0
        var refuted: [RefutedAttestation] = []
        _ = try Rebuild.build(
            projection,
            from: log,
            through: reader,
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
        self.reasonNotOnLog = reasonNotOnLog
        self.live = try ViewDigest(live)
        self.replayed = try ViewDigest(replayed)
        difference = try ViewDifference.first(between: live, and: replayed)
        attestationsChecked = checked
        self.refuted = refuted
    }

    /// Looks at the pages of a view before anything is read from it: LMDB trusts what it finds there.
    private static func verifyPages(of projection: any Projection.Type, in directory: String) throws {
        // Opening one that isn't there fails for another reason, and says so.
        guard FileManager.default.fileExists(atPath: directory + "/data.mdb") else { return }
        let options = Environment.Options(tables: projection.tables.count + 1, isReadOnly: true)
        let findings: [String]
        do {
            let environment = try Environment(path: directory, options: options, checksLength: false)
            findings = try environment.verifyPages().map { "page \($0.page) of its file \($0.reason)" }
        } catch let error as LMDBError where error.isDamage {
            findings = [error.description]
        }
        guard findings.isEmpty else { throw ViewDamaged(view: projection.name, findings: findings) }
    }
}
