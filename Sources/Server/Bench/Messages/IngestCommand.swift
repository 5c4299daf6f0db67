import ArgumentParser

/// `quipu bench ingest`: many that send, and nobody who receives.
struct IngestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ingest",
        abstract: "Send to peers that aren't there, and count what is acknowledged.",
        discussion: """
            Latency is that of acks. Each sender waits for acks before it sends on, so it counts from when a message was
            sent; `quipu bench latency` counts from when it was due.

            Examples:
              quipu bench ingest --floor
              quipu bench ingest --senders 64 --in-flight 1 --messages 128000
              quipu bench ingest --senders 1 --in-flight 1 --messages 5000 --json
            """
    )

    @Option(help: ArgumentHelp("Sockets that send.", valueName: "n"))
    var senders = 64

    @Option(help: ArgumentHelp("Messages of a sender that aren't acknowledged yet, at most.", valueName: "n"))
    var inFlight = 16

    @Option(help: ArgumentHelp("Messages of all senders together.", valueName: "n"))
    var messages = 640_000

    @Option(help: ArgumentHelp("Bytes of a message.", valueName: "n"))
    var bytes = 150

    @Flag(help: "Append as many records to a bare LMDB too, in commits of the same size, and print the ratio.")
    var floor = false

    @OptionGroup var past: HistoryOptions

    @OptionGroup var options: BenchOptions

    private var bench: MessageBench {
        MessageBench(
            rooms: 0,
            subscribers: 0,
            senders: senders,
            inFlight: inFlight,
            messages: messages,
            bytes: bytes
        )
    }

    func validate() throws {
        try bench.validate()
        try past.validate(with: options)
        if floor, options.url != nil {
            throw ValidationError("--floor needs a server of its own: another's commits aren't known.")
        }
    }

    func run() async throws {
        let bench = bench
        try await BenchResult.print(asJSON: options.json, unit: "messages", in: options.folder) { folder, bar in
            let data = try await past.data(in: folder, bytes: bytes, bar: bar)
            let rounds = try await options.each(in: folder, data: data) { target in
                let result = try await bench.run(on: target, bar: bar)
                var round = result.round
                round.add(BenchMetric.percentiles(of: result.acks, "ack"))
                return round
            }
            var least: [BenchRound] = []
            if floor {
                let commit = BenchRound.median(of: rounds)[.eventsPerCommit] ?? 1
                let job = FloorJob.append(
                    events: messages,
                    perCommit: max(1, Int(commit.rounded())),
                    contentBytes: bytes
                )
                least = try await job.rounds(options.rounds, in: folder, on: options.cores, bar)
            }
            return BenchResult(
                name: "ingest",
                work:
                    "\(messages.grouped) messages of \(bytes.grouped) bytes from \(senders.grouped) senders, each with "
                    + "\(inFlight.grouped) in flight, to peers that aren't there" + past.words,
                checked: "every message was acknowledged exactly once, in order, and is stored",
                settings: bench.settings.merging(past.settings) { $1 },
                setting: options.setting(in: folder),
                rounds: rounds,
                floor: least
            )
        }
    }
}
