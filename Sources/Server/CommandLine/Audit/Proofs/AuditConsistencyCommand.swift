import ArgumentParser
import Broker

/// `quipu audit consistency`: a proof that the log continues an older checkpoint.
///
/// The file is the body of C2SP tlog-witness' add-checkpoint: the older size, the hashes and the newer checkpoint. The
/// older checkpoint isn't in it. An auditor verifies with the one that they have kept, or else would only learn that
/// whoever made the file knows some older checkpoint.
struct AuditConsistencyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "consistency",
        abstract: "Prove that the log still has all events of an older checkpoint: a file for others.",
        discussion: """
            Writes the hashes that lead from the older checkpoint to a new one, and the new
            one, as C2SP tlog-witness has them. To verify it, the older checkpoint is needed.
            Ends with 1 if the log doesn't continue the older checkpoint, or that isn't signed
            by this log's key.

            Examples:
              quipu audit consistency q3.checkpoint --out c.consistency
              quipu audit verify c.consistency --old q3.checkpoint --key quipu.vkey
            """
    )

    @Argument(help: ArgumentHelp("The older checkpoint, a file; - for standard input.", valueName: "old-checkpoint"))
    var oldCheckpoint: String

    @OptionGroup var location: FolderOptions
    @OptionGroup var output: ProofOutput

    func run() async throws {
        try await location.proving { prover in
            let bytes = try InputFile(oldCheckpoint).read(maximumByteCount: SignedNote.maximumByteCount)
            var verifier = AuditFileVerifier(key: prover.key.verifierKey)
            let old = try verifier.keep(bytes)
            let proof = try prover.consistency(from: old)
            let checkpoint = try LogCheckpoint(text: proof.note.text)
            let file = proof.encode()
            var object = JSONObjectWriter()
            object.number("old_size", old.size)
            object.checkpoint(checkpoint)
            object.text("proof", String(decoding: file, as: UTF8.self))
            try output.write(
                file,
                "proof that a log of \(checkpoint.size) events continues the checkpoint of \(old.size)",
                object
            )
        }
    }
}
