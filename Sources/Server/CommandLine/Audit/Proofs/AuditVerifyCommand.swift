import ArgumentParser
import Broker

/// `quipu audit verify`: what the files prove that somebody was given, without the log.
struct AuditVerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Verify proofs, checkpoints and exports without the log; or, without a file, the log itself.",
        discussion: """
            Files are told by their first line. Neither a data folder nor a configuration is
            needed. Several files must agree: the log has one root for each number of events.

            Ends with 0 if all is verified.
            1, refuted: what a file claims isn't so. A hash or a signature is wrong, another
            key or log signed, a witness didn't, the log signed two histories, or a file
            begins like a proof and goes on otherwise.
            2, can't be told: there is no such file, it begins like none of the known forms,
            the key is no key, --old is missing, or the event is of a newer version.

            Examples:
              quipu audit verify 1207.proof --key quipu.vkey
              quipu audit verify c.consistency --old q3.checkpoint --key quipu.vkey
              quipu audit verify *.proof now.checkpoint --key quipu.vkey --json
            """
    )

    @Argument(
        help: ArgumentHelp(
            "Proofs, proofs of consistency, checkpoints or folders of exports; - for standard input.",
            valueName: "file"
        )
    )
    var files: [String] = []

    @Option(help: ArgumentHelp("The log's verifier key, or a file that holds it.", valueName: "vkey"))
    var key: String?

    @Option(
        help: ArgumentHelp(
            "The key of a witness, who must have signed too; may be given several times.",
            valueName: "vkey"
        )
    )
    var witness: [String] = []

    @Option(help: ArgumentHelp("The checkpoint that the log is proven to continue, a file.", valueName: "checkpoint"))
    var old: String?

    @Flag(help: "Print a JSON object for each file.")
    var json = false

    @OptionGroup var location: FolderOptions

    func validate() throws {
        if files.isEmpty {
            guard key == nil, old == nil, witness.isEmpty else {
                throw ValidationError("--key, --witness and --old are for files: name the files.")
            }
        } else {
            guard key != nil else {
                throw ValidationError("--key is missing: without the log's key, nothing can be told of a file.")
            }
            guard location.data == nil, location.config == nil else {
                throw ValidationError("--data and --config are for the log itself: leave them out, or the files.")
            }
        }
    }

    func run() async throws {
        guard !files.isEmpty else { return try await verifyDataFolder() }
        let verdicts: [FileVerdict]
        do {
            verdicts = try await verifyFiles()
            try StandardOutput.print { output in
                for verdict in verdicts { try output.write { verdict.append(asJSON: json, to: &$0) } }
            }
        } catch {
            throw CommandFailure(auditing: error)
        }
        let outcomes = Set(verdicts.map(\.outcome))
        if outcomes.contains(.refuted) { throw ExitCode(CommandFailure.Status.failure.rawValue) }
        if outcomes.contains(.unknown) { throw ExitCode(CommandFailure.Status.usage.rawValue) }
        // Else whoever gave it might take what is verified for the continuation of it.
        guard old == nil || verdicts.contains(where: \.isContinuation) else {
            throw CommandFailure(
                "no file says whether the log continues --old: that takes a proof of consistency",
                status: .usage
            )
        }
    }

    private func verifyFiles() async throws -> [FileVerdict] {
        var verifier = try verifier()
        var verdicts: [FileVerdict] = []
        for name in files {
            if InputFile(name).isFolder {
                verdicts.append(try await verifyFolder(name))
            } else {
                verdicts.append(verify(name, with: &verifier))
            }
        }
        return verdicts
    }

    private func verify(_ name: String, with verifier: inout AuditFileVerifier) -> FileVerdict {
        do {
            let bytes = try InputFile(name).read(maximumByteCount: AuditFile.maximumByteCount)
            return FileVerdict(name, try verifier.verify(bytes))
        } catch {
            return FileVerdict(name, error)
        }
    }

    private func verifier() throws -> AuditFileVerifier {
        guard let key = try key.map({ try VerifierKeyArgument($0).key() }) else {
            throw CommandFailure("--key is missing", status: .usage)
        }
        guard key.algorithm == .ed25519 else {
            throw CommandFailure("--key is the key of a witness, not of a log", status: .usage)
        }
        let witnesses = try witness.map { try VerifierKeyArgument($0).key() }
        var verifier = AuditFileVerifier(key: key, witnesses: witnesses)
        guard let old else { return verifier }
        do {
            try verifier.keep(InputFile(old).read(maximumByteCount: SignedNote.maximumByteCount))
        } catch let error as AuditFileError {
            // Named again, for it isn't the file that was to be verified.
            let status: CommandFailure.Status = error.isRefutation ? .failure : .usage
            throw CommandFailure("--old \(old.shownAsJSON): \(error)", status: status)
        }
        return verifier
    }
}
