import ArgumentParser
import Broker

/// `quipu audit verify`: whether a data folder is what was written.
struct AuditVerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Verify the log and the views of a data folder.",
        discussion: """
            Looks at every page, record, leaf and hash of the log, and compares the views
            with a replay; beside a running server or without one, and changes nothing.
            Who may write the folder can make all of it anew: to find that out, name
            checkpoints that you kept, and the log's key from a source that you trust.
            Ends with 0 if it is verified, 1 if it is refuted, 2 if that can't be told.

            Examples:
              quipu audit verify
              quipu audit verify --log-only --json
              quipu audit verify --checkpoint last-quarter.txt --key quipu/3d4b…+e5daba64+AY…
            """
    )

    @OptionGroup var location: FolderOptions
    @OptionGroup var options: FolderVerificationOptions

    @Option(
        help: ArgumentHelp("The log's verifier key (default: that of the folder).", valueName: "vkey"),
        transform: { text in
            do {
                return try VerifierKey(text)
            } catch {
                throw ValidationError("\(error)")
            }
        }
    )
    var key: VerifierKey?

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() async throws { try await options.verify(location, key: key, json: json) }
}
