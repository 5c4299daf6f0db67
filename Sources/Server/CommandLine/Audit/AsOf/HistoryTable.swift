import Broker

/// A history as a table for people, a message a line, newest first.
///
/// No character of a stranger's reaches the terminal as a command, and no text can pass for a column of ours: it comes
/// last.
struct HistoryTable: Sendable {
    private static let whoColumns = 16

    func write(_ reading: inout HistoryReading, to output: inout StandardOutput) throws {
        let report = reading.report
        let layout = Layout(report)
        if !report.messages.isEmpty {
            try output.line(
                layout.line("OFFSET", "TIME", "EDITED", "STATE", "FROM", "TEXT")
            )
        }
        while let rows = try reading.next() {
            for row in rows {
                try output.line(
                    layout.line(
                        String(row.offset),
                        Timestamp.text(milliseconds: row.created),
                        row.isEdited ? Timestamp.text(milliseconds: row.updated) : "",
                        (row.isRead ? "read" : "unread") + (row.content == nil ? ", redacted" : ""),
                        TerminalText.escape(row.sender),
                        TerminalText.escape(row.content ?? "")
                    )
                )
            }
        }
        try output.line(report.conclusion)
    }

    /// How wide the columns are; that of edits is there only if something was edited.
    private struct Layout {
        let offsetColumns: Int
        let showsEdits: Bool
        private static let stateColumns = "unread, redacted".count

        init(_ report: HistoryReport) {
            offsetColumns = max("OFFSET".count, String(report.asOf).count)
            showsEdits = report.messages.contains { $0.offset != $0.textOffset }
        }

        func line(
            _ offset: String,
            _ time: String,
            _ edited: String,
            _ state: String,
            _ from: String,
            _ text: String
        ) -> String {
            var line = String(repeating: " ", count: max(0, offsetColumns - offset.count)) + offset + "  "
            line += TerminalText.pad(time, to: Timestamp.byteCount)
            if showsEdits { line += TerminalText.pad(edited, to: Timestamp.byteCount) }
            line += TerminalText.pad(state, to: "unread".count)
            line += TerminalText.pad(from, to: whoColumns) + text
            while line.hasSuffix(" ") { line.removeLast() }
            return line
        }
    }
}

extension HistoryReport {
    /// Whose view of what it is, as of when, and how much.
    var conclusion: String {
        let name = TerminalText.escape(other.name ?? "redacted")
        var text = TerminalText.escape(reader.label)
        text += isRoom ? " in \(name) (\(other.id.uuidText))" : " with \(TerminalText.escape(other.label))"
        text += ", as of offset \(asOf), \(Timestamp.text(milliseconds: milliseconds)): "
        switch messageCount {
        case 0: return text + "no messages"
        case 1: return text + "1 message"
        default:
            return text + (hasMore ? "the newest \(messages.count.grouped) of " : "")
                + "\(messageCount.grouped) messages"
        }
    }
}
