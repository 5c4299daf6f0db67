import ArgumentParser
import Broker

/// `quipu audit as-of … members`: who was in a room then.
struct AsOfMembersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "members",
        abstract: "Who was in a room then, since when, and whose it was.",
        usage: "quipu audit as-of <offset or time> members <id or name>",
        discussion: """
            In the order of joining; who left and came back counts from the last time.

            Examples:
              quipu audit as-of 120000 members general
              quipu audit as-of 2026-11-21 members 01234567-89ab-4def-8123-456789abcdef
              quipu audit as-of 120000 members general --json | jq '.members[].account'
            """
    )

    @ParentCommand var asOf: AuditAsOfCommand
    @OptionGroup var location: FolderOptions

    @Argument(help: ArgumentHelp("The room.", valueName: "id or name"))
    var room: String

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() async throws {
        let (_, log, end) = try await asOf.open(location)
        let report = try await Interruption.cancelling { [room] in
            try MembersAudit(log: log).answer(room, asOf: end)
        }
        try StandardOutput.print { output in
            if json {
                try output.write { $0.append(contentsOf: report.json) }
            } else {
                try report.writeTable(to: &output)
            }
        }
    }
}
