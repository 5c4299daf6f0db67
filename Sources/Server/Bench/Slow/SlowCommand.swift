import ArgumentParser
import Foundation

/// `quipu bench slow`: clients that stop reading.
struct SlowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "slow",
        abstract: "Let some subscribers of a room stop reading, and see what the others notice.",
        discussion: """
            Starts a server in a process of its own, on a temporary folder and a free port of 127.0.0.1, once for each
            share of stuck clients. Messages are sent when they are due, whatever the server does, and latency counts
            from then. At the end the stuck ones read on. Ends with 1 if a message is missing, comes twice or out of
            order, for anybody, or somebody is disconnected.

            Examples:
              quipu bench slow
              quipu bench slow --subscribers 200 --stuck 0 --stuck 50 --rate 500 --json
            """
    )

    @Option(help: ArgumentHelp("Sockets that receive.", valueName: "n"))
    var subscribers = 1000

    @Option(help: ArgumentHelp("Per cent of them that stop reading; may be given more than once.", valueName: "n"))
    var stuck = [0, 1, 10]

    @Option(help: ArgumentHelp("Messages a second.", valueName: "n"))
    var rate = 50

    @Option(help: ArgumentHelp("How long messages are sent.", valueName: "n"))
    var seconds = 20

    @Option(help: ArgumentHelp("Bytes of a message.", valueName: "n"))
    var bytes = 1000

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        guard 1...50_000 ~= subscribers else { throw ValidationError("--subscribers must be 1 to 50,000.") }
        guard stuck.allSatisfy({ 0...99 ~= $0 }) else { throw ValidationError("--stuck must be 0 to 99.") }
        guard 1...100_000 ~= rate else { throw ValidationError("--rate must be 1 to 100,000.") }
        guard 1...3600 ~= seconds else { throw ValidationError("--seconds must be 1 to 3,600.") }
        guard BenchMark.leastContentBytes...65_536 ~= bytes else {
            throw ValidationError("--bytes must be \(BenchMark.leastContentBytes) to 65,536.")
        }
        guard rate * seconds * bytes >= Self.leastBytes else {
            throw ValidationError(
                "--rate × --seconds × --bytes must be \(Self.leastBytes.grouped) or more: less would find room in the "
                    + "kernel, and nobody be stuck."
            )
        }
    }

    /// More than what the kernel (twice `SO_SNDBUF` and `SO_RCVBUF`) and `limits.outbound_bytes` take for a client that
    /// doesn't read, with a server of the default settings.
    private static let leastBytes = 512 << 10

    func run() async throws {
        let bench = SlowBench(
            subscribers: subscribers,
            stuckPercents: stuck,
            messagesPerSecond: rate,
            seconds: seconds,
            bytes: bytes
        )
        try await SlowReport.print(asJSON: json, unit: "deliveries") { folder, bar in
            var runs = 0
            return try await bench.run(bar: bar) { body in
                runs += 1
                return try await ChildServer.with(DataFolder("\(folder.path)/\(runs)"), body)
            }
        }
    }
}
