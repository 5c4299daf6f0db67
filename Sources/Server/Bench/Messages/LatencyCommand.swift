import ArgumentParser

/// `quipu bench latency`: how long a message takes when the server isn't busy.
struct LatencyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "latency",
        abstract: "Send at a steady rate, and count the time until the ack and until the delivery.",
        discussion: """
            Messages are sent when they are due, whatever the server does, and both times count from then: what waits
            because the server was slow before is late as well. Percentiles come from a histogram of nanoseconds and are
            up to 0.8 % too great, never too small.

            Examples:
              quipu bench latency
              quipu bench latency --rate 10000 --senders 16 --subscribers 10 --seconds 30 --json
            """
    )

    @Option(help: ArgumentHelp("Messages a second, of all senders together.", valueName: "n"))
    var rate = 1000

    @Option(help: ArgumentHelp("How long.", valueName: "n"))
    var seconds = 10

    @Option(help: ArgumentHelp("Sockets that send.", valueName: "n"))
    var senders = 1

    @Option(help: ArgumentHelp("Sockets that receive every message.", valueName: "n"))
    var subscribers = 1

    @Option(help: ArgumentHelp("Bytes of a message.", valueName: "n"))
    var bytes = 150

    @OptionGroup var past: HistoryOptions

    @OptionGroup var options: BenchOptions

    private var bench: MessageBench {
        MessageBench(
            rooms: 1,
            subscribers: subscribers,
            senders: senders,
            messages: max(1, rate * seconds / senders) * senders,
            bytes: bytes,
            messagesPerSecond: rate
        )
    }

    func validate() throws {
        guard 1...1_000_000 ~= rate else { throw ValidationError("--rate must be 1 to 1,000,000.") }
        guard 1...3600 ~= seconds else { throw ValidationError("--seconds must be 1 to 3,600.") }
        guard 1...50_000 ~= subscribers else { throw ValidationError("--subscribers must be 1 to 50,000.") }
        guard senders > 0 else { throw ValidationError("--senders must be 1 or more.") }
        try bench.validate()
        try past.validate(with: options)
    }

    func run() async throws {
        let bench = bench
        try await BenchResult.print(asJSON: options.json, unit: "deliveries", in: options.folder) { folder, bar in
            let data = try await past.data(in: folder, bytes: bytes, bar: bar)
            let rounds = try await options.each(in: folder, data: data) { target in
                let result = try await bench.run(on: target, bar: bar)
                var round = result.round
                round.add(BenchMetric.percentiles(of: result.acks, "ack"))
                round.add(BenchMetric.percentiles(of: result.deliveries, "delivery"))
                return round
            }
            return BenchResult(
                name: "latency",
                work: "\(rate.grouped) messages a second of \(bytes.grouped) bytes for \(seconds.grouped) s from "
                    + "\(senders.grouped) senders to \(subscribers.grouped) subscribers of one room; times count from "
                    + "when a message was due" + past.words,
                checked: "everybody got every message exactly once and in order; every acknowledged message is stored",
                settings: bench.settings.merging(past.settings) { $1 },
                setting: options.setting(in: folder),
                rounds: rounds
            )
        }
    }
}
