import ArgumentParser
import Broker

/// `quipu audit prove`: a proof that an event is in the log.
struct AuditProveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prove",
        abstract: "Prove that an event is in the log, unaltered: a file that others can verify.",
        discussion: """
            Writes a proof (C2SP tlog-proof) that holds all that is needed besides the key: the
            event with its content, the hashes from it to the root, and the signed checkpoint.
            Of an event with a password only its hash in the log is shown. Whoever is given the
            file can read the event.

            Examples:
              quipu audit prove 1207 --out 1207.proof
              quipu audit prove 1207 | quipu audit verify - --key quipu.vkey
            """
    )

    @Argument(help: ArgumentHelp("Which event.", valueName: "offset"), transform: OffsetOrTime.parseOffset)
    var offset: Offset

    @OptionGroup var location: FolderOptions
    @OptionGroup var output: ProofOutput

    func validate() throws {
        if offset == 0 { throw ValidationError("Offsets begin at 1.") }
    }

    func run() async throws {
        try await location.proving { prover in
            _ = try OffsetOrTime.offset(offset).last(in: prover.log)
            let proof = try prover.proof(of: offset)
            let checkpoint = try LogCheckpoint(text: proof.note.text)
            let file = proof.encode()
            var object = JSONObjectWriter()
            object.number("offset", offset)
            object.checkpoint(checkpoint)
            object.text("proof", String(decoding: file, as: UTF8.self))
            try output.write(file, "proof that event \(offset) is one of \(checkpoint.size) events", object)
        }
    }
}
