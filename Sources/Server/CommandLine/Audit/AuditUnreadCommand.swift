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

    @OptionGroup var question: UnreadOptions

    @Option(
        help: ArgumentHelp(
            "What was unread after this event: an offset, a time or a date.",
            valueName: "offset or time"
        ),
        transform: OffsetOrTime.parse
    )
    var asOf: OffsetOrTime?

    func run() async throws {
        let (folder, _) = try await location.load()
        try folder.requireLog()
        let log = try EventLog(directory: folder.log, isReadOnly: true)
        try await question.answer(asOf: asOf, from: log, in: folder)
    }
}
