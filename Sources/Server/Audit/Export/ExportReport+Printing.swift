import ArgumentParser
import Broker

extension ExportReport {
    /// What a person reads.
    var text: [String] {
        if let refutation {
            return ["REFUSED  \(TerminalText.escape(refutation.file)): \(TerminalText.escape(refutation.reason))"]
        }
        guard let manifest, let key else { return [] }
        let head = manifest.head
        var lines = [
            "log       \(key.name)",
            "tree      \(Int(head.size).grouped) events, root \(head.root.base64)",
            "selected  \(selectionText)",
            "events    \(Int(eventCount).grouped)\(rangeText), each with its place in the tree",
        ]
        if redactedCount > 0 { lines.append("redacted  \(Int(redactedCount).grouped), whose content is gone") }
        if withheldCount > 0 { lines.append("withheld  \(Int(withheldCount).grouped), which hold secrets") }
        lines.append(
            "names     \(provenNameCount) proven, \(statedNameCount) stated by the operator, \(erasedNameCount) erased"
        )
        lines.append("missing   \(completenessText)")
        lines.append("VERIFIED")
        return lines
    }

    private var selectionText: String {
        guard let selection = manifest?.selection, !selection.isEverything else { return "the whole log" }
        var parts: [String] = []
        if let user = selection.user {
            parts.append(selection.peer.map { "the conversation of \(user) and \($0)" } ?? "the account \(user)")
        }
        if let room = selection.room { parts.append("the room \(room.uuidText)") }
        if let since = selection.since { parts.append("since \(Timestamp.text(milliseconds: since))") }
        if let until = selection.until { parts.append("before \(Timestamp.text(milliseconds: until))") }
        return parts.joined(separator: ", ")
    }

    private var rangeText: String {
        guard let firstOffset, let lastOffset, let times else { return "" }
        let (first, last) = (Timestamp.text(milliseconds: times.first), Timestamp.text(milliseconds: times.last))
        let place = ", from \(firstOffset) to \(lastOffset), \(first) to \(last)"
        return revisions.map { "\(place), revisions \($0.lowerBound) to \($0.upperBound)" } ?? place
    }

    private var completenessText: String {
        switch completeness {
        case .whole: "nothing: the entries of all events were looked through"
        case .revisions: "nothing between the first and the last revision; later ones may be left out"
        case .offsets: "nothing between the first and the last offset; later ones may be left out"
        case .none: "not known: an export with --entries would tell"
        }
    }

    /// A line of JSON.
    var json: [UInt8] {
        var object = JSONObjectWriter()
        object.flag("verified", refutation == nil)
        if let refutation {
            object.text("file", refutation.file)
            object.text("reason", refutation.reason)
        } else if let manifest, let key {
            object.text("log", key.name.description)
            object.number("size", manifest.head.size)
            object.text("root", manifest.head.root.base64)
            object.text("user", manifest.selection.user?.description)
            object.text("peer", manifest.selection.peer?.description)
            object.text("room", manifest.selection.room?.uuidText)
            object.text("since", manifest.selection.since.map { Timestamp.text(milliseconds: $0) })
            object.text("until", manifest.selection.until.map { Timestamp.text(milliseconds: $0) })
            object.number("events", eventCount)
            object.numbers("offsets", [firstOffset, lastOffset].compactMap { $0 })
            object.numbers("revisions", revisions.map { [$0.lowerBound, $0.upperBound] } ?? [])
            object.text("first_time", times.map { Timestamp.text(milliseconds: $0.first) })
            object.text("last_time", times.map { Timestamp.text(milliseconds: $0.last) })
            object.number("redacted", redactedCount)
            object.number("withheld", withheldCount)
            object.number("names_proven", provenNameCount)
            object.number("names_stated", statedNameCount)
            object.number("names_erased", erasedNameCount)
            object.text("complete", completeness.rawValue)
        }
        return object.finished + [UInt8(ascii: "\n")]
    }

    /// Prints the report.
    ///
    /// - Throws: `ExitCode` 1 if the export is refused.
    func answer(json isJSON: Bool) throws {
        try StandardOutput.print { output in
            if isJSON {
                try output.write { $0.append(contentsOf: json) }
            } else {
                for line in text { try output.line(line) }
            }
        }
        if refutation != nil { throw ExitCode(CommandFailure.Status.failure.rawValue) }
    }
}
