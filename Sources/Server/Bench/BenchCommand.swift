import ArgumentParser

/// `quipu bench`: how fast it is, on this machine.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure how fast this machine serves, and check every result.",
        subcommands: [FanoutCommand.self, ResumeCommand.self, SlowCommand.self]
    )
}

/// `quipu bench fanout`: one room, many subscribers.
struct FanoutCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fanout",
        abstract: "Send to a room and count what all its members receive.",
        discussion: """
            Starts a server of its own on a temporary folder and a free port of 127.0.0.1, with every commit on disk
            before it is acknowledged, and real WebSocket clients in the same process. Ends with 1 if a message is
            missing, comes twice or out of order, or is acknowledged but not in the log.

            Examples:
              quipu bench fanout --subscribers 100 --messages 1000
              quipu bench fanout --subscribers 1000 --messages 10000 --senders 4 --json
            """
    )

    @Option(help: ArgumentHelp("Sockets that receive.", valueName: "n"))
    var subscribers = 100

    @Option(help: ArgumentHelp("Messages of all senders together.", valueName: "n"))
    var messages = 1000

    @Option(help: ArgumentHelp("Sockets that send.", valueName: "n"))
    var senders = 1

    @Option(help: ArgumentHelp("Bytes of a message.", valueName: "n"))
    var bytes = 150

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        guard 1...50_000 ~= subscribers else { throw ValidationError("--subscribers must be 1 to 50,000.") }
        guard 1...1_000 ~= senders else { throw ValidationError("--senders must be 1 to 1,000.") }
        guard 1...100_000_000 ~= messages else { throw ValidationError("--messages must be 1 to 100,000,000.") }
        guard messages % senders == 0 else {
            throw ValidationError("--messages must be a multiple of --senders: each sends as many.")
        }
        guard BenchMark.leastContentBytes...65_536 ~= bytes else {
            throw ValidationError("--bytes must be \(BenchMark.leastContentBytes) to 65,536.")
        }
    }

    func run() async throws {
        let bench = FanoutBench(subscribers: subscribers, messages: messages, senders: senders, bytes: bytes)
        try await FanoutReport.print(asJSON: json, unit: "deliveries") { folder, bar in
            try await EmbeddedServer.with(folder) { try await bench.run(on: $0, bar: bar) }
        }
    }
}
