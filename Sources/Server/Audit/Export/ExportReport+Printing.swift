import Broker

extension ExportReport {
    /// What is proven, or why nothing is.
    fileprivate var sentence: String {
        if let refutation { return "\(refutation.file): \(refutation.reason)" }
        return "\(Int(eventCount).grouped) events, each with its place in the tree"
    }

    /// What a person reads besides.
    fileprivate var details: [(name: String, text: String)] {
        guard refutation == nil, let manifest, let key else { return [] }
        let head = manifest.head
        var details = [
            ("log", key.name.description),
            ("tree", "\(Int(head.size).grouped) events, root \(head.root.base64)"),
            ("selected", selectionText),
        ]
        if let rangeText { details.append(("range", rangeText)) }
        if redactedCount > 0 { details.append(("redacted", "\(Int(redactedCount).grouped), whose content is gone")) }
        if withheldCount > 0 { details.append(("withheld", "\(Int(withheldCount).grouped), which hold secrets")) }
        details.append(
            (
                "names",
                "\(provenNameCount) proven, \(statedNameCount) stated by the operator, \(erasedNameCount) erased"
            )
        )
        details.append(("missing", completenessText))
        return details.map { (name: $0.0, text: TerminalText.escape($0.1)) }
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

    private var rangeText: String? {
        guard let firstOffset, let lastOffset, let times else { return nil }
        let (first, last) = (Timestamp.text(milliseconds: times.first), Timestamp.text(milliseconds: times.last))
        let place = "offsets \(firstOffset) to \(lastOffset), \(first) to \(last)"
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

    /// The same for machines.
    fileprivate func append(to object: inout JSONObjectWriter) {
        if let refutation { object.text("refuted_file", refutation.file) }
        guard refutation == nil, let manifest, let key else { return }
        object.text("origin", key.name.description)
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
}

extension FileVerdict {
    /// The verdict on the export in the folder `name`.
    init(_ name: String, _ report: ExportReport) {
        self.init(
            name,
            report.refutation == nil ? .verified : .refuted,
            report.sentence,
            details: report.details
        ) { report.append(to: &$0) }
    }
}
