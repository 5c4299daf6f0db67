import ArgumentParser
import Broker
import Foundation

/// `quipu audit as-of`: what somebody would have been shown at another time.
struct AuditAsOfCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "as-of",
        abstract: "Show what an account would have been shown then.",
        usage: "quipu audit as-of <offset or time> <subcommand>",
        discussion: """
            Reckons from the log alone, beside a running server or without one, and changes
            nothing. A time stands for the last event at or before it.

            Examples:
              quipu audit as-of 120000 history alice bob
              quipu audit as-of 2026-11-20T17:00:00Z history alice --room general
              quipu audit as-of 2026-11-21 unread alice --peer bob
              quipu audit as-of 120000 members general --json
            """,
        subcommands: [AsOfHistoryCommand.self, AsOfUnreadCommand.self, AsOfMembersCommand.self]
    )

    // As it was typed, and looked at in `validate`: a parser that fails earlier wouldn't show the help.
    @Argument(help: ArgumentHelp("After which event: \(OffsetOrTime.syntax).", valueName: "offset or time"))
    var moment: String

    func validate() throws { _ = try OffsetOrTime.parse(moment) }

    func run() async throws {
        throw CommandFailure(
            "say what you want to see: history, unread or members; quipu audit as-of --help has examples",
            status: .usage
        )
    }

    /// The log, and the last event that had happened then.
    func open(_ location: FolderOptions) async throws -> (folder: DataFolder, log: EventLog, end: Offset) {
        let (folder, _) = try await location.load()
        try folder.requireLog()
        let log = try EventLog(directory: folder.log, isReadOnly: true)
        let now = UInt64(max(0, Date().timeIntervalSince1970 * 1000))
        return (folder, log, try Self.end(of: OffsetOrTime.parse(moment), in: log, now: now))
    }

    /// The last event up to `moment`.
    ///
    /// - Parameter now: Milliseconds since 1970.
    /// - Throws: ``CommandFailure`` with the status `usage` for a moment before the first event, past the last offset,
    ///   or still to come.
    static func end(of moment: OffsetOrTime, in log: EventLog, now: UInt64) throws -> Offset {
        // The log's clock may be ahead of ours: what it has is known.
        if case .time(let time) = moment, time > max(now, log.lastMilliseconds) {
            throw CommandFailure(
                "\(Timestamp.text(milliseconds: time)) is still to come: what will be shown then, nobody knows",
                status: .usage
            )
        }
        let end = try moment.last(in: log)
        guard end == 0 else { return end }
        let first = try log.withRecord(at: 1) { Timestamp.text(milliseconds: $0.header.milliseconds) }
        throw CommandFailure(
            "nothing had happened yet: " + (first.map { "the log begins at \($0)" } ?? "the log is empty"),
            status: .usage
        )
    }
}

/// `quipu audit as-of … unread`: `quipu audit unread` of another time.
struct AsOfUnreadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unread",
        abstract: "What an account hadn't read: which messages made up the unread counts.",
        usage: "quipu audit as-of <offset or time> unread <account> [--peer <account> | --room <id or name>]",
        discussion: """
            The same as quipu audit unread --as-of. Shows where messages are in the log,
            never what they say.

            Examples:
              quipu audit as-of 120000 unread alice
              quipu audit as-of 2026-11-20T17:00:00Z unread alice --room general --json
            """
    )

    @ParentCommand var asOf: AuditAsOfCommand
    @OptionGroup var location: FolderOptions
    @OptionGroup var question: UnreadOptions

    func run() async throws {
        let (folder, log, end) = try await asOf.open(location)
        try await question.answer(asOf: .offset(end), from: log, in: folder)
    }
}
