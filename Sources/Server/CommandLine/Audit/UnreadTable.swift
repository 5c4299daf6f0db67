import Broker

/// What an account hasn't read, as a table for people.
///
/// No character of a stranger's reaches the terminal as a command.
struct UnreadTable: Sendable {
    /// As many ranges of a conversation are shown if not all are asked for.
    static let mostRanges = 50

    /// Nil: all.
    let mostRanges: Int?

    private static let header = ["TYPE", "WITH", "READ UP TO", "UNREAD", "OFFSETS"]

    func write(_ report: UnreadReport, to output: inout StandardOutput) throws {
        var lines = [Self.header]
        for row in report.rows {
            let offsets = OffsetRanges.text(row.unread, most: mostRanges)
            lines.append([row.isRoom ? "room" : "direct", row.with, row.readUpTo, String(row.unread.count), offsets])
        }
        if report.isWhole {
            lines.append(["total", "direct messages", "", String(report.directCount), ""])
            lines.append(["total", "rooms", "", String(report.roomCount), ""])
        }
        let widths = Self.header.indices.dropLast().map { column in
            lines.map { TerminalText.columns($0[column]) }.max() ?? 0
        }
        for line in lines {
            var text = TerminalText.pad(line[0], to: widths[0]) + TerminalText.pad(line[1], to: widths[1])
            // Numbers end below each other.
            for column in 2...3 {
                text += String(repeating: " ", count: widths[column] - line[column].count) + line[column] + "  "
            }
            text += line[4]
            while text.hasSuffix(" ") { text.removeLast() }
            try output.line(text)
        }
        for line in report.conclusion { try output.line(line) }
    }
}

extension UnreadReport.Row {
    fileprivate var with: String { UnreadReport.describe(party, isRoom: isRoom) }

    /// What was said in a room before one came is nothing unread, as if it had been read.
    fileprivate var readUpTo: String { joined > mark ? "joined \(joined)" : String(mark) }
}

extension UnreadReport {
    /// The name, and the id of a room; safe to show on a terminal.
    fileprivate static func describe(_ party: AuditEvent.Party, isRoom: Bool) -> String {
        TerminalText.escape(isRoom ? "\(party.name ?? "redacted") (\(party.id.uuidText))" : party.label)
    }

    /// What the numbers are worth: as of when, and whether the view says the same.
    var conclusion: [String] {
        var place = "as of offset \(asOf)"
        if let milliseconds { place += ", \(Timestamp.text(milliseconds: milliseconds))" }
        switch comparison {
        case nil: return [place]
        case .absent(let reason), .unreadable(let reason): return [place + ": not compared, " + reason]
        case .compared(let offset, let differences):
            let verdict = differences.isEmpty ? "agrees" : "differs"
            let behind = asOf - offset
            let state =
                behind == 0 ? verdict : "is \(Int(behind).grouped) events behind, and \(verdict) at offset \(offset)"
            return [place + ": the view " + state]
                + differences.map { difference in
                    let who = Self.describe(difference.party, isRoom: difference.isRoom)
                    let kind = difference.isRoom ? "room" : "direct"
                    return "  \(kind) \(who): the log says \(difference.log), the view \(difference.view)"
                }
        }
    }
}
