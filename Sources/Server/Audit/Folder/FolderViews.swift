import Broker
import Cryptography
import Foundation
import Projections

/// The views of a data folder against a replay of its log, and what the log attests of them against the same replay.
struct FolderViews: Sendable {
    let folder: DataFolder
    let log: EventLog

    /// What was found of one view.
    struct Finding: Equatable, Sendable {
        var view: String
        /// Nil if there is no such view in the folder: a server makes it when it starts.
        var events: UInt64?
        var seconds: Double = 0
        var digest = ""
        /// How many attestations were compared.
        var attestations = 0
        /// How many weren't: of another version of the view, which can't be replayed, or of a view that isn't there.
        var otherAttestations = 0
        /// In what it isn't what the log says, or the log isn't what it says.
        var differences: [String] = []
    }

    func compare() async throws -> [Finding] {
        let attested = try AttestedDigests(in: log)
        let views = ViewFolder(data: folder.path)
        let projections = Views.projections
        let present = projections.filter {
            FileManager.default.fileExists(atPath: views.directory(of: $0) + "/data.mdb")
        }
        let found: [Finding]
        if present.isEmpty {
            found = []
        } else {
            // On the same file system as the views, which temporary folders of the machine may be too small for.
            let scratch = try ScratchFolder(in: folder)
            defer { scratch.remove() }
            let bar = ReplayBar(views: present.count)
            defer { bar.finish() }
            found = try await ViewBuilding.each(present, from: log) {
                bar.update($0)
            } _: { [log] projection, reader, report in
                try Self.compare(
                    projection,
                    in: views.directory(of: projection),
                    log: log,
                    through: reader,
                    scratch: scratch.path,
                    attested,
                    report
                )
            }
        }
        return projections.map { projection in
            let count = attested.entries(of: projection).count + attested.count(ofOtherVersionsOf: projection)
            return found.first { $0.view == projection.name }
                ?? Finding(view: projection.name, events: nil, otherAttestations: count)
        }
    }

    private static func compare(
        _ projection: any Projection.Type,
        in directory: String,
        log: EventLog,
        through reader: SharedReading.Reader,
        scratch: String,
        _ attested: AttestedDigests,
        _ report: @escaping Rebuild.Report
    ) throws -> Finding {
        let start = ContinuousClock.now
        let verification: Verification
        do {
            verification = try Verification(
                of: projection,
                in: directory,
                log: log,
                through: reader,
                scratch: scratch,
                attestations: attested,
                report: report
            )
        } catch let damaged as ViewDamaged {
            return Finding(view: projection.name, events: 0, differences: damaged.findings)
        }
        var finding = Finding(view: projection.name, events: verification.replayed.checkpoint.offset)
        finding.seconds = (ContinuousClock.now - start) / .seconds(1)
        finding.digest = verification.replayed.digest.description
        finding.attestations = verification.attestationsChecked
        finding.otherAttestations = attested.count(ofOtherVersionsOf: projection)
        if !verification.isIdentical {
            let refuted = verification.refuted.map(\.description)
            let difference = verification.reasonNotOnLog ?? verification.difference?.description
            finding.differences = (difference.map { [$0] } ?? verification.live.damage) + refuted
            if finding.differences.isEmpty {
                finding.differences = ["the digest of the view in use is \(verification.live.digest)"]
            }
        }
        return finding
    }
}
