import Broker
import Cryptography
import Foundation
import Projections

/// `quipu audit verify` of a data folder: the log as it lies there, against itself, against checkpoints from before and
/// against the views.
///
/// Changes nothing, beside a server or without: verified is what there was when it began.
struct FolderVerification: Sendable {
    let folder: DataFolder
    /// The log's key from a source that the auditor trusts; nil: the one in the folder.
    var key: VerifierKey?
    /// Files with checkpoints that the log signed before.
    var checkpoints: [String] = []
    var comparesViews = true
    /// How many faults are told one by one.
    var faultLimit = 20

    /// - Throws: What keeps it from telling: there is no log, it can't be opened or has no tree yet, a file can't be
    ///   read, or it was interrupted.
    func run() async throws -> FolderReport {
        try folder.requireLog()
        let notes = try checkpoints.map { ($0, try Self.read($0)) }
        let bar = ProgressBar(unit: "events")
        defer { bar.finish() }
        let start = ContinuousClock.now
        let pages = try EventLog.verifyPages(in: folder.log, faultLimit: faultLimit) { done, total in
            try Task.checkCancellation()
            bar.update(label: "pages", done: done, total: total)
        }
        guard pages.isEmpty else { return FolderReport(pageFaults: pages) }
        let log = try EventLog(directory: folder.log, isReadOnly: true)
        let verification = try log.verifyTree(faultLimit: faultLimit) { done, total in
            try Task.checkCancellation()
            bar.update(label: "events", done: done, total: total)
        }
        bar.finish()
        var report = FolderReport(log: log.identity, verification)
        report.seconds = (ContinuousClock.now - start) / .seconds(1)
        let ownKey = try AuditKey.existing(in: folder, of: log.identity)
        if let key, let own = ownKey?.verifierKey, own != key {
            report.keyProblem = "the folder's key is \(own), and not the one that was given"
        }
        report.checkpoints = try verify(notes, against: log, ownKey?.verifierKey)
        if !comparesViews {
            report.viewsSkipped = "not compared: --log-only"
        } else if !verification.isIntact {
            // A replay would stop at the first event that can't be read, and say nothing new of the others.
            report.viewsSkipped = "not compared, because the log isn't intact"
        } else {
            report.views = try await FolderViews(folder: folder, log: log).compare()
        }
        if report.outcome == .verified, let head = verification.head {
            report.head = head
            report.checkpoint = ownKey?.checkpoint(of: head)
        }
        return report
    }

    /// Looks at checkpoints from before: each must be of a tree that this log's tree began with.
    private func verify(
        _ notes: [(file: String, note: [UInt8])],
        against log: EventLog,
        _ ownKey: VerifierKey?
    ) throws -> [FolderReport.Checkpoint] {
        guard !notes.isEmpty else { return [] }
        guard let key = key ?? ownKey else {
            throw CommandFailure("\(folder.path) has no \(AuditKey.fileName): name the log's verifier key with --key")
        }
        let head = try log.refreshHead()
        return notes.map { file, note in
            do {
                let old = try VerifiedCheckpoint(SignedNote(note), logKey: key).checkpoint
                var found = FolderReport.Checkpoint(file: file, size: old.size)
                if old.size > head {
                    found.problem = "it was signed when the log had \(old.size) events; now it has \(head)"
                } else if try log.treeHead(at: old.size).root != old.root {
                    found.problem = "the log's first \(old.size) events aren't those that it was signed for"
                }
                return found
            } catch {
                return FolderReport.Checkpoint(file: file, problem: String(describing: error))
            }
        }
    }

    private static func read(_ file: String) throws -> [UInt8] {
        do {
            return [UInt8](try Data(contentsOf: URL(fileURLWithPath: file)))
        } catch {
            throw CommandFailure("\(file) can't be read: \(error.shortDescription)")
        }
    }
}

extension AuditKey {
    /// The key of a data folder; unlike at a server's start, none is made.
    ///
    /// - Returns: Nil if there is none, or only others may read it.
    /// - Throws: ``SecretFileError`` if the file holds no key of this log.
    static func existing(in folder: DataFolder, of identity: LogIdentity) throws -> AuditKey? {
        guard FileManager.default.isReadableFile(atPath: "\(folder.path)/\(fileName)") else { return nil }
        return try AuditKey(folder: folder, log: identity)
    }
}
