import Broker
import Cryptography
import Foundation
import Projections

/// `quipu replay --verify`: the views in use against what the log gives.
///
/// Changes nothing, beside a server or without.
struct ReplayVerifying: Sendable {
    let folder: DataFolder
    /// Besides the comparison, the digests as of this place are told.
    let to: OffsetOrTime?

    func run(_ projections: [any Projection.Type], _ bar: ReplayBar) async throws -> ReplayReport {
        let log = try EventLog(directory: folder.log, isReadOnly: true)
        let end = try to?.last(in: log)
        let attestations = try AttestedDigests(in: log)
        let views = ViewFolder(data: folder.path)
        // On the same file system as the views, which temporary folders of the machine may be too small for.
        let scratch = try ScratchFolder(in: folder)
        defer { scratch.remove() }
        let rows = try await ViewBuilding.each(projections, from: log) {
            bar.update($0)
        } _: { projection, reader, report in
            let start = ContinuousClock.now
            let verification = try Verification(
                of: projection,
                in: views.directory(of: projection),
                log: log,
                through: reader,
                scratch: scratch.path,
                attestations: attestations,
                report: report
            )
            let seconds = (ContinuousClock.now - start) / .seconds(1)
            var row = ReplayReport.Row(
                events: verification.replayed.checkpoint.offset,
                seconds: seconds,
                digest: verification.replayed
            )
            row.difference = Self.difference(verification)
            row.attestations = .init(
                checked: verification.attestationsChecked,
                ofOtherVersions: attestations.count(ofOtherVersionsOf: projection),
                refuted: verification.refuted
            )
            if let end {
                let directory = "\(scratch.path)/past-\(projection.name)"
                let past = try ReplayBuilding.build(projection, from: log, upTo: end, into: directory, report: report)
                row.past = .init(offset: past.offset, digest: past.digest)
            }
            return row
        }
        return ReplayReport(kind: .verified, rows: rows, unreadableAttestations: attestations.unreadable)
    }

    private static func difference(_ verification: Verification) -> String? {
        if let reason = verification.reasonNotOnLog { return reason }
        if let difference = verification.difference { return difference.description }
        if let damage = verification.live.damage.first { return damage }
        guard verification.live.digest == verification.replayed.digest else {
            return "the digest in use is \(verification.live.digest)"
        }
        return nil
    }
}
