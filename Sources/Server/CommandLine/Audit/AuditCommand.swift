import ArgumentParser
import Broker

/// `quipu audit`: what happened, as the log has it, and proofs of it for others.
struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Show what happened, from the log itself, and prove it to others.",
        subcommands: [
            AuditListCommand.self, AuditUnreadCommand.self, AuditAsOfCommand.self, AuditKeyCommand.self,
            AuditCheckpointCommand.self, AuditProveCommand.self, AuditConsistencyCommand.self, AuditVerifyCommand.self,
            AuditExportCommand.self, AuditRedactCommand.self, AuditDemoCommand.self,
        ]
    )
}

/// `quipu audit list`: the events, one a line.
struct AuditListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List events: when, who, what.",
        discussion: """
            Reads the log beside a running server and needs nothing else. Passwords' hashes are never shown.

            Examples:
              quipu audit list --user alice --peer bob
              quipu audit list --room general --since 2026-11-01 --until 2026-12-01
              quipu audit list --type UserLoggedIn --type LoginFailed --format csv
              quipu audit list --after 120000 --limit 50 --format json | jq .content
            """
    )

    @OptionGroup var location: FolderOptions

    @OptionGroup var selected: SelectionOptions

    @Option(
        help: ArgumentHelp("Events of this type; may be given several times.", valueName: "type"),
        transform: AuditQuery.parseType
    )
    var type: [EventType] = []

    @Option(help: ArgumentHelp("Events after this offset.", valueName: "offset"), transform: OffsetOrTime.parseOffset)
    var after: Offset = 0

    @Option(help: ArgumentHelp("At most so many events.", valueName: "n"))
    var limit: Int?

    @Option(help: "table, json (an object a line) or csv.")
    var format = AuditFormat.table

    func validate() throws {
        if let limit, limit < 1 { throw ValidationError("--limit must be 1 or more.") }
    }

    func run() async throws {
        let (folder, _) = try await location.load()
        try folder.requireLog()
        let log = try EventLog(directory: folder.log, isReadOnly: true)
        var query = AuditQuery(
            types: Set(type),
            after: after,
            since: selected.since,
            until: selected.until,
            limit: limit
        )
        try query.resolve(user: selected.user, peer: selected.peer, room: selected.room, in: log)
        try StandardOutput.print { output in
            let listing = AuditListing(folder: folder, log: log, query: query)
            try listing.write(format, to: &output)
        }
    }
}

/// How `quipu audit list` prints events.
enum AuditFormat: String, CaseIterable, ExpressibleByArgument, Sendable {
    case table, json, csv
}
