import ArgumentParser

/// What all benchmarks of several rounds are told, whatever they measure.
struct RoundOptions: ParsableArguments {
    @Option(help: ArgumentHelp("How often it is measured.", valueName: "n"))
    var rounds = 3

    @Option(
        help: ArgumentHelp(
            "Where the data lies meanwhile (default: the system's folder for temporary files).",
            valueName: "dir"
        )
    )
    var folder: String?

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        guard 1...100 ~= rounds else { throw ValidationError("--rounds must be 1 to 100.") }
    }
}
