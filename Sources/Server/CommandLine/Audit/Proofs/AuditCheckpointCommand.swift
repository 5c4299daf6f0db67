import ArgumentParser
import Broker

/// `quipu audit checkpoint`: the signed head of the log's tree.
struct AuditCheckpointCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "checkpoint",
        abstract: "Print the signed head of the log: how many events, and the hash over all of them.",
        discussion: """
            A signed note with a checkpoint (C2SP tlog-checkpoint). Whoever keeps one can have
            it proven later that the log still has all these events: quipu audit consistency.

            Examples:
              quipu audit checkpoint --out q3.checkpoint
              quipu audit checkpoint --json | jq .size
            """
    )

    @OptionGroup var location: FolderOptions
    @OptionGroup var output: ProofOutput

    func run() async throws {
        try await location.proving { prover in
            let note = try prover.checkpoint()
            let checkpoint = try LogCheckpoint(text: note.text)
            var object = JSONObjectWriter()
            object.checkpoint(checkpoint)
            object.text("checkpoint", String(decoding: note.encode(), as: UTF8.self))
            try output.write(note.encode(), "checkpoint of \(checkpoint.size) events", object)
        }
    }
}

extension JSONObjectWriter {
    /// Adds which log it is, how many events, and the root, as the checkpoint has them.
    mutating func checkpoint(_ checkpoint: LogCheckpoint) {
        text("origin", String(decoding: checkpoint.origin, as: UTF8.self))
        number("size", checkpoint.size)
        text("root", checkpoint.root.base64)
    }
}
