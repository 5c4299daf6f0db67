import ArgumentParser
import Broker

/// Whose unread messages, of which conversations, and how they are shown: the same now and as of another time.
struct UnreadOptions: ParsableArguments {
    @Argument(help: ArgumentHelp("Whose unread messages.", valueName: "account"))
    var account: String

    @Option(help: ArgumentHelp("Only the conversation with this account.", valueName: "account"))
    var peer: String?

    @Option(help: ArgumentHelp("Only this room.", valueName: "id or name"))
    var room: String?

    @Flag(help: "Show all offsets, not only the first \(UnreadTable.mostRanges) ranges of each conversation.")
    var all = false

    @Flag(help: "Print one JSON object, which always holds all offsets.")
    var json = false

    func validate() throws {
        if peer != nil, room != nil { throw ValidationError("--peer and --room exclude each other.") }
    }

    /// Prints what is unread.
    ///
    /// - Throws: `ExitCode` 1 if the view says something else, after printing it; ``CommandFailure``.
    func answer(asOf: OffsetOrTime?, from log: EventLog, in folder: DataFolder) async throws {
        let question = UnreadAudit.Question(account: account, peer: peer, room: room, asOf: asOf)
        let report = try await Interruption.cancelling {
            try await UnreadAudit(folder: folder, log: log).answer(question)
        }
        try StandardOutput.print { output in
            if json {
                try output.write { $0.append(contentsOf: report.json) }
            } else {
                try UnreadTable(mostRanges: all ? nil : UnreadTable.mostRanges).write(report, to: &output)
            }
        }
        if report.isFailure { throw ExitCode(CommandFailure.Status.failure.rawValue) }
    }
}
