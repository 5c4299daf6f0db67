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

        struct Past: Codable, Equatable, Sendable {
            var offset: Offset
            var digest: String
        }
    }

    var kind: Kind
    var rows: [Row]

    var differs: Bool { rows.contains { $0.difference != nil } }

    /// For people.
    var lines: [String] {
        let columns = rows.map(\.view.count).max() ?? 0
        var lines: [String] = []
        for row in rows {
            let name = TerminalText.pad(row.view, to: columns)
            lines.append(
                name + (kind == .verified ? (row.difference == nil ? "identical  " : "different  ") : "") + row.work
            )
            let indent = String(repeating: " ", count: columns + 2)
            lines.append(indent + "digest \(row.digest) at offset \(row.offset)")
            if let past = row.past { lines.append(indent + "digest \(past.digest) at offset \(past.offset)") }
            if let difference = row.difference { lines.append(indent + TerminalText.escape(difference)) }
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
        }
        struct Document: Encodable {
            var mode: String
            var into: String?
            var identical: Bool?
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
        }
        document.views = rows.map { row in
            Line(
                view: row.view,
                events: row.events,
                seconds: row.seconds,
                events_per_second: row.eventsPerSecond.rounded(),
                digest: row.digest,
                offset: row.offset,
                identical: kind == .verified ? row.difference == nil : nil,
                difference: row.difference,
                past: row.past
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
