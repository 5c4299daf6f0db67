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

    @Option(help: ArgumentHelp("What this account did, or what was done to it.", valueName: "account"))
    var user: String?

    @Option(help: ArgumentHelp("With --user: the conversation of the two.", valueName: "account"))
    var peer: String?

    @Option(help: ArgumentHelp("What happened in this room.", valueName: "id or name"))
    var room: String?

    @Option(
        help: ArgumentHelp("Events of this type; may be given several times.", valueName: "type"),
        transform: AuditQuery.parseType
    )
    var type: [EventType] = []

    @Option(
        help: ArgumentHelp("Events at this time or later: RFC 3339, or a date.", valueName: "time"),
        transform: OffsetOrTime.parseTime
    )
    var since: UInt64?

    @Option(
        help: ArgumentHelp("Events before this time.", valueName: "time"),
        transform: OffsetOrTime.parseTime
    )
    var until: UInt64?

    @Option(help: ArgumentHelp("Events after this offset.", valueName: "offset"), transform: OffsetOrTime.parseOffset)
    var after: Offset = 0

    @Option(help: ArgumentHelp("At most so many events.", valueName: "n"))
    var limit: Int?

    @Option(help: "table, json (an object a line) or csv.")
    var format = AuditFormat.table

    func validate() throws {
        if peer != nil, user == nil { throw ValidationError("--peer needs --user: a conversation has two sides.") }
        if peer != nil, room != nil { throw ValidationError("--peer and --room exclude each other.") }
        if let limit, limit < 1 { throw ValidationError("--limit must be 1 or more.") }
        if let since, let until, since >= until { throw ValidationError("--since must be before --until.") }
    }

    func run() async throws {
        let (folder, _) = try await location.load()
        try folder.requireLog()
        let log = try EventLog(directory: folder.log, isReadOnly: true)
        var query = AuditQuery(types: Set(type), after: after, since: since, until: until, limit: limit)
        try query.resolve(user: user, peer: peer, room: room, in: log)
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
