import ArgumentParser
import Broker

/// `quipu audit key`: what verifies the log's checkpoints.
struct AuditKeyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key",
        abstract: "Print the verifier key: what others need to verify what this log signs.",
        discussion: """
            The key is no secret. Hand it to auditors by a way that they trust, and not
            together with the proofs. It stays the same for as long as data/audit.key does.

            Examples:
              quipu audit key > quipu.vkey
              quipu audit verify proof.txt --key quipu.vkey
            """
    )

    @OptionGroup var location: FolderOptions

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() async throws {
        try await location.proving { prover in
            let key = prover.key.verifierKey
            var object = JSONObjectWriter()
            object.text("log", prover.log.identity.description)
            object.text("origin", key.name.description)
            object.text("key", key.description)
            try StandardOutput.print { output in
                try output.line(json ? String(decoding: object.finished, as: UTF8.self) : key.description)
            }
        }
    }
}
