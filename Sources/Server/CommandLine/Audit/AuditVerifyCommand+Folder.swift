import ArgumentParser
import Broker

/// `quipu audit verify DIR --key VKEY`: an export, without the data folder.
struct AuditVerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Verify an export, without the data folder: 0 verified, 1 refused, 2 not to be told."
    )

    @Argument(help: ArgumentHelp("What `quipu audit export` wrote.", valueName: "dir"))
    var folder: String

    @Option(help: ArgumentHelp("The log's verifier key.", valueName: "vkey"))
    var key: String

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() async throws {
        let key: VerifierKey
        do {
            key = try VerifierKey(self.key)
        } catch {
            throw CommandFailure("--key: \(error)", status: .usage)
        }
        let bar = ProgressBar(unit: "events")
        let report = try ExportVerification.verify(folder: folder, key: key) { bar.update(done: $0, total: $1) }
        bar.finish()
        try report.answer(json: json)
    }
}
