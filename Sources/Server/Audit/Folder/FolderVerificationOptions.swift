import ArgumentParser
import Broker

/// What may be said of the verification of a data folder, besides which folder and which key.
struct FolderVerificationOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A checkpoint that the log signed before; the log must continue it. May be given several times.",
            valueName: "file"
        )
    )
    var checkpoint: [String] = []

    @Flag(help: "Leave out the comparison of the views with a replay.")
    var logOnly = false

    @Option(help: ArgumentHelp("How many faults to tell one by one.", valueName: "n"))
    var faults = 20

    mutating func validate() throws {
        guard 1...100_000 ~= faults else { throw ValidationError("--faults must be between 1 and 100000.") }
    }

    /// Verifies the folder, prints what was found, and ends with its exit code: 0 verified, 1 refuted, 2 not known.
    func verify(_ location: FolderOptions, key: VerifierKey?, json: Bool) async throws {
        let report: FolderReport
        do {
            let (folder, _) = try await location.load()
            let verification = FolderVerification(
                folder: folder,
                key: key,
                checkpoints: checkpoint,
                comparesViews: !logOnly,
                faultLimit: faults
            )
            report = try await Interruption.cancelling { try await verification.run() }
        } catch {
            // Whatever keeps it from telling: neither verified nor refuted.
            throw CommandFailure(CommandFailure(error).message, status: .usage)
        }
        try StandardOutput.print { output in
            if json { try output.line(report.json) } else { for line in report.lines { try output.line(line) } }
        }
        if report.outcome != .verified { throw ExitCode(report.outcome.status.rawValue) }
    }
}
