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

            Without a file, looks at every page, record, leaf and hash of the log, and compares
            the views with a replay; beside a running server or without one, and changes
            nothing. Who may write the data folder can make all of it anew: to find that out,
            name checkpoints that you kept, and the log's key from a source that you trust.

            Examples:
              quipu audit verify 1207.proof --key quipu.vkey
              quipu audit verify c.consistency --old q3.checkpoint --key quipu.vkey
              quipu audit verify *.proof now.checkpoint --key quipu.vkey --json
              quipu audit verify export-q3 --key quipu.vkey
              quipu audit verify
              quipu audit verify --checkpoint q3.checkpoint --key quipu.vkey --json
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
    @OptionGroup var options: FolderVerificationOptions

    func validate() throws {
        if files.isEmpty {
            guard old == nil, witness.isEmpty else {
                throw ValidationError("--witness and --old are for files: name the files, or use --checkpoint.")
            }
        } else {
            guard key != nil else {
                throw ValidationError("--key is missing: without the log's key, nothing can be told of a file.")
            }
            guard location.data == nil, location.config == nil else {
                throw ValidationError("--data and --config are for the log itself: leave them out, or the files.")
            }
            guard options.checkpoint.isEmpty, !options.logOnly else {
                throw ValidationError("--checkpoint and --log-only are for the log itself: leave the files out.")
            }
        }
    }

    func run() async throws {
        guard !files.isEmpty else {
            return try await options.verify(location, key: try key.map { try logKey($0) }, json: json)
        }
        let verdicts: [FileVerdict]
        do {
            verdicts = try verifyFiles()
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

    private func verifyFiles() throws -> [FileVerdict] {
        var verifier = try verifier()
        var verdicts: [FileVerdict] = []
        for name in files {
            if InputFile(name).isFolder {
                verdicts.append(verifyExport(name, key: verifier.key))
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

    private func verifyExport(_ name: String, key: VerifierKey) -> FileVerdict {
        let bar = ProgressBar(unit: "events")
        defer { bar.finish() }
        do {
            return FileVerdict(
                name,
                try ExportVerification.verify(folder: name, key: key) { bar.update(done: $0, total: $1) }
            )
        } catch {
            return FileVerdict(name, error)
        }
    }

    private func logKey(_ text: String) throws -> VerifierKey {
        let key = try VerifierKeyArgument(text).key()
        guard key.algorithm == .ed25519 else {
            throw CommandFailure("--key is the key of a witness, not of a log", status: .usage)
        }
        return key
    }

    private func verifier() throws -> AuditFileVerifier {
        guard let key = try key.map({ try logKey($0) }) else {
            throw CommandFailure("--key is missing", status: .usage)
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
