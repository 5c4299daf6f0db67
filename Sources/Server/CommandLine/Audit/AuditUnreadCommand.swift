import ArgumentParser
import Broker

/// `quipu audit unread`: what an account hasn't read, message by message.
struct AuditUnreadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unread",
        abstract: "Explain unread counts: which messages make them up.",
        discussion: """
            Reckons from the log alone what an account hasn't read, beside a running server
            or without one, and compares that with the view that the server answers from:
            0 says that they agree, 1 that they differ. With --as-of nothing is compared.
            Shows where messages are in the log, never what they say.

            Examples:
              quipu audit unread alice
              quipu audit unread alice --peer bob --all
              quipu audit unread alice --room general --as-of 2026-11-20T23:59:59Z
              quipu audit unread alice --json | jq '.unread_counts[].offsets'
            """
    )

    @OptionGroup var location: FolderOptions

    @Argument(help: ArgumentHelp("Whose unread messages.", valueName: "account"))
    var account: String

    @Option(help: ArgumentHelp("Only the conversation with this account.", valueName: "account"))
    var peer: String?

    @Option(help: ArgumentHelp("Only this room.", valueName: "id or name"))
    var room: String?

    @Option(
        help: ArgumentHelp(
            "What was unread after this event: an offset, a time or a date.",
            valueName: "offset or time"
        ),
        transform: OffsetOrTime.parse
    )
    var asOf: OffsetOrTime?

    @Flag(help: "Show all offsets, not only the first \(UnreadTable.mostRanges) ranges of each conversation.")
    var all = false

    @Flag(help: "Print one JSON object, which always holds all offsets.")
    var json = false

    func validate() throws {
        if peer != nil, room != nil { throw ValidationError("--peer and --room exclude each other.") }
    }

    func run() async throws {
        let (folder, _) = try await location.load()
        try folder.requireLog()
        let question = UnreadAudit.Question(account: account, peer: peer, room: room, asOf: asOf)
        let report = try await Interruption.cancelling {
            let log = try EventLog(directory: folder.log, isReadOnly: true)
            return try await UnreadAudit(folder: folder, log: log).answer(question)
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
