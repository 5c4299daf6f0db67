import Broker
import Cryptography
import Foundation
import Projections

/// What `quipu replay` found or did.
struct ReplayReport: Sendable {
    enum Kind: Equatable, Sendable {
        case switched
        case built(String)
        case verified
    }

    struct Row: Equatable, Sendable {
        var view: String
        /// How many were replayed.
        var events: UInt64
        var seconds: Double
        /// Of the rebuilt view's content, and the offset that it holds at.
        var digest: String
        var offset: Offset
        /// In what the view in use isn't what the log says; nil if it is, or if nothing was compared.
        var difference: String?
        /// With `--verify --to`: the digest at that offset.
        var past: Past?
        /// With `--verify`: what the log itself says of the view.
        var attestations: Attestations?

        /// Attestations of the view, up to where it has come.
        struct Attestations: Equatable, Sendable {
            var checked: Int
            /// Of versions of the view that this program can't replay.
            var ofOtherVersions = 0
            /// Those of them that the replay doesn't bear out.
            var refuted: [RefutedAttestation]
        }

        /// Whether the view, or what was attested of it, isn't what the log says.
        var differs: Bool { difference != nil || attestations?.refuted.isEmpty == false }

        struct Past: Codable, Equatable, Sendable {
            var offset: Offset
            var digest: String
        }
    }

    var kind: Kind
    var rows: [Row]
    /// The attestations that somebody has taken out of the log.
    var unreadableAttestations: [Offset] = []

    var differs: Bool { !unreadableAttestations.isEmpty || rows.contains { $0.differs } }

    /// For people.
    var lines: [String] {
        let columns = rows.map(\.view.count).max() ?? 0
        var lines: [String] = []
        for row in rows {
            let name = TerminalText.pad(row.view, to: columns)
            lines.append(
                name + (kind == .verified ? (row.differs ? "different  " : "identical  ") : "") + row.work
            )
            let indent = String(repeating: " ", count: columns + 2)
            lines.append(indent + "digest \(row.digest) at offset \(row.offset)")
            if let past = row.past { lines.append(indent + "digest \(past.digest) at offset \(past.offset)") }
            if let difference = row.difference { lines.append(indent + TerminalText.escape(difference)) }
            lines += (row.attestations?.lines ?? []).map { indent + $0 }
        }
        for offset in unreadableAttestations {
            lines.append("event \(offset) is an attestation without its payload, which nothing takes out")
        }
        switch kind {
        case .switched: lines.append("rebuilt and switched")
        case .built(let folder): lines.append("built in \(folder)")
        case .verified: lines.append(differs ? "different" : "identical")
        }
        return lines
    }

    /// For machines.
    func json() throws -> String {
        struct Line: Encodable {
            var view: String
            var events: UInt64
            var seconds: Double
            var events_per_second: Double
            var digest: String
            var offset: Offset
            var identical: Bool?
            var difference: String?
            var past: Row.Past?
            var attestations_checked: Int?
            var attestations_of_other_versions: Int?
            var attestations_refuted: [Refuted]?
        }
        struct Refuted: Encodable {
            var event: Offset
            var offset: Offset
            var attested: String
            var replayed: String
        }
        struct Document: Encodable {
            var mode: String
            var into: String?
            var identical: Bool?
            var attestations_unreadable: [Offset]?
            var views: [Line]
        }
        var document = Document(mode: "switch", views: [])
        if case .built(let folder) = kind {
            document.mode = "into"
            document.into = folder
        }
        if kind == .verified {
            document.mode = "verify"
            document.identical = !differs
            document.attestations_unreadable = unreadableAttestations
        }
        document.views = rows.map { row in
            Line(
                view: row.view,
                events: row.events,
                seconds: row.seconds,
                events_per_second: row.eventsPerSecond.rounded(),
                digest: row.digest,
                offset: row.offset,
                identical: kind == .verified ? !row.differs : nil,
                difference: row.difference,
                past: row.past,
                attestations_checked: row.attestations?.checked,
                attestations_of_other_versions: row.attestations?.ofOtherVersions,
                attestations_refuted: row.attestations?.refuted.map {
                    Refuted(
                        event: $0.attested.event,
                        offset: $0.attested.reference,
                        attested: "\($0.attested.digest)",
                        replayed: "\($0.replayed)"
                    )
                }
            )
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(document), as: UTF8.self)
    }
}

extension ReplayReport.Row {
    init(events: UInt64, seconds: Double, digest: ViewDigest) {
        self.init(
            view: digest.view,
            events: events,
            seconds: seconds,
            digest: digest.digest.description,
            offset: digest.checkpoint.offset
        )
    }

    var eventsPerSecond: Double { seconds > 0 ? Double(events) / seconds : 0 }

    fileprivate var work: String {
        let time = String(format: "%.2f", seconds)
        return "\(Int(events).grouped) events in \(time) s (\(Int(eventsPerSecond).grouped) events/s)"
    }
}

extension ReplayReport.Row.Attestations {
    /// For people; none if the log attests nothing of the view.
    fileprivate var lines: [String] {
        var lines: [String] = []
        if checked > 0 {
            let held = checked - refuted.count
            lines.append("attestations: \(checked.grouped) checked, \(held.grouped) hold")
        }
        if ofOtherVersions > 0 {
            lines.append("attestations of other versions of the view: \(ofOtherVersions.grouped), not checked")
        }
        return lines + refuted.map(\.description)
    }
}
