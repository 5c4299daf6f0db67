import ArgumentParser
import Broker
import Foundation

/// `quipu audit as-of … history`: a conversation or room as an account would have been shown it.
struct AsOfHistoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "The messages of a conversation or room as they were then.",
        usage: "quipu audit as-of <offset or time> history <account> (<peer> | --room <id or name>)",
        discussion: """
            What the account would have been answered then that asked for the history
            (type 2): newest first, edited as of then, without what was deleted by then,
            and with what was read by then. What was erased since is shown as redacted.
            The rows of --json have the fields of that answer's.

            Reads the headers of the log up to then, and keeps 16 to 32 bytes for each
            message of the conversation, for a room the names of all accounts as well;
            what the messages say is looked up as they are printed.

            Examples:
              quipu audit as-of 120000 history alice bob
              quipu audit as-of 2026-11-20T17:00:00Z history alice bob --limit 20
              quipu audit as-of 2026-11-21 history alice --room general
              quipu audit as-of 120000 history alice bob --json | jq '.content[].content'
            """
    )

    @ParentCommand var asOf: AuditAsOfCommand
    @OptionGroup var location: FolderOptions

    @Argument(help: ArgumentHelp("Who was shown it.", valueName: "account"))
    var account: String

    @Argument(help: ArgumentHelp("With whom.", valueName: "peer"))
    var peer: String?

    @Option(help: ArgumentHelp("A room that the account was in, instead of a peer.", valueName: "id or name"))
    var room: String?

    @Option(help: ArgumentHelp("At most so many messages, the newest.", valueName: "n"))
    var limit: Int?

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        if peer != nil, room != nil { throw ValidationError("Give either a peer or --room, not both.") }
        if peer == nil, room == nil { throw ValidationError("Give a peer, or a room with --room.") }
        if let limit, limit < 1 { throw ValidationError("--limit must be 1 or more.") }
    }

    func run() async throws {
        let (_, log, end) = try await asOf.open(location)
        let question = HistoryAudit.Question(account: account, peer: peer, room: room, limit: limit, end: end)
        let report = try await Interruption.cancelling { try HistoryAudit(log: log).answer(question) }
        // What comes on a terminal is seen to come.
        let bar = ProgressBar(unit: "messages", isShown: isatty(2) == 1 && isatty(1) == 0)
        defer { bar.finish() }
        try StandardOutput.print { output in
            var reading = HistoryReading(report, from: log, bar)
            if json {
                try HistoryJSON().write(&reading, to: &output)
            } else {
                try HistoryTable().write(&reading, to: &output)
            }
        }
    }
}
