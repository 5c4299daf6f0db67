import ArgumentParser

/// `quipu bench resume`: many clients that were away.
struct ResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Let clients come back with ?after=… and see how fast they have what they missed.",
        discussion: """
            Starts a server of its own on a temporary folder and a free port of 127.0.0.1, writes a log, and lets all
            clients connect at once, each with its position: near the head, where the server reads the log on, and far
            behind it, where it looks into its indexes for what concerns the client. At last one client reads all of
            one room from the beginning. Ends with 1 if a message is missing, comes twice or out of order.

            Examples:
              quipu bench resume
              quipu bench resume --clients 100 --messages 50 --others 100000 --json
            """
    )

    @Option(help: ArgumentHelp("Clients that come back.", valueName: "n"))
    var clients = 1000

    @Option(help: ArgumentHelp("Messages that each has missed.", valueName: "n"))
    var messages = 100

    @Option(help: ArgumentHelp("Messages of one room in between.", valueName: "n"))
    var others = 1_000_000

    @Option(help: ArgumentHelp("Bytes of a message.", valueName: "n"))
    var bytes = 150

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        guard 1...50_000 ~= clients else { throw ValidationError("--clients must be 1 to 50,000.") }
        guard 1...100_000 ~= messages else { throw ValidationError("--messages must be 1 to 100,000.") }
        guard 0...100_000_000 ~= others else { throw ValidationError("--others must be 0 to 100,000,000.") }
        guard BenchMark.leastContentBytes...65_536 ~= bytes else {
            throw ValidationError("--bytes must be \(BenchMark.leastContentBytes) to 65,536.")
        }
    }

    func run() async throws {
        let bench = ResumeBench(clients: clients, messages: messages, others: others, bytes: bytes)
        try await ResumeReport.print(asJSON: json, unit: "messages") { folder, bar in
            try await EmbeddedServer.with(folder) { try await bench.run(on: $0, bar: bar) }
        }
    }
}
