import ArgumentParser

/// `quipu bench fanout`: rooms, in which some send and many receive.
struct FanoutCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fanout",
        abstract: "Send to rooms and count what all their members receive.",
        discussion: """
            A room's senders receive its messages too, and these deliveries count. With --rate, messages are sent when
            they are due, whatever the server does, and latency counts from then until a subscriber has the message.

            Examples:
              quipu bench fanout --senders 8 --in-flight 64 --subscribers 1000 --floor
              quipu bench fanout --rooms 100 --subscribers 10 --senders 1 --in-flight 1 --messages 100000
              quipu bench fanout --subscribers 100 --senders 1 --rate 20000 --messages 2000 --json
            """
    )

    @Option(help: ArgumentHelp("Rooms.", valueName: "n"))
    var rooms = 1

    @Option(help: ArgumentHelp("Sockets that receive, in each room.", valueName: "n"))
    var subscribers = 1000

    @Option(help: ArgumentHelp("Sockets that send, in each room.", valueName: "n"))
    var senders = 8

    @Option(help: ArgumentHelp("Messages of a sender that aren't acknowledged yet, at most.", valueName: "n"))
    var inFlight = 64

    @Option(help: ArgumentHelp("Messages of all senders together.", valueName: "n"))
    var messages = 8000

    @Option(help: ArgumentHelp("Bytes of a message.", valueName: "n"))
    var bytes = 150

    @Option(help: ArgumentHelp("Deliveries a second to subscribers, instead of as many as will go.", valueName: "n"))
    var rate: Int?

    @Flag(help: "Run a bare loop of writes of the same bytes to as many sockets too, and print the ratio.")
    var floor = false

    @Option(
        help: ArgumentHelp(
            "With --floor: messages in one of its writes (default: as many as a commit of the server had).",
            valueName: "n"
        )
    )
    var floorBatch: Int?

    @OptionGroup var past: HistoryOptions

    @OptionGroup var options: BenchOptions

    private var bench: MessageBench {
        MessageBench(
            rooms: rooms,
            subscribers: subscribers,
            senders: senders,
            inFlight: inFlight,
            messages: messages,
            bytes: bytes,
            messagesPerSecond: rate.map { max(1, $0 / subscribers) }
        )
    }

    func validate() throws {
        guard 1...10_000 ~= rooms else { throw ValidationError("--rooms must be 1 to 10,000.") }
        guard 1...50_000 ~= subscribers else { throw ValidationError("--subscribers must be 1 to 50,000.") }
        guard rooms * (subscribers + senders) <= 50_000 else {
            throw ValidationError("--rooms × (--subscribers + --senders) must be 50,000 or less.")
        }
        if let rate, rate < subscribers || rate > 100_000_000 {
            throw ValidationError("--rate must be --subscribers to 100,000,000: one message a second or more.")
        }
        if let floorBatch {
            guard floor else { throw ValidationError("--floor-batch needs --floor.") }
            guard 1...100_000 ~= floorBatch else { throw ValidationError("--floor-batch must be 1 to 100,000.") }
        }
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
                if rate != nil { round.add(BenchMetric.percentiles(of: result.deliveries, "")) }
                return round
            }
            let cores = options.cores
            let perCommit = floorBatch.map { Double($0 * rooms) } ?? BenchRound.median(of: rounds)[.eventsPerCommit]
            let least =
                floor ? try await SocketFloor(bench, perCommit: perCommit).rounds(options.rounds, on: cores, bar) : []
            return BenchResult(
                name: "fanout",
                work:
                    "\(bench.messages.grouped) messages of \(bytes.grouped) bytes in \(rooms.grouped) rooms, each with "
                    + "\(senders.grouped) senders and \(subscribers.grouped) subscribers, "
                    + (bench.messagesPerSecond.map { "\($0.grouped) of them a second" }
                        ?? "\(inFlight.grouped) of a sender in flight") + past.words,
                checked: "everybody in a room got every message exactly once and in order; every acknowledged message "
                    + "is stored",
                settings: bench.settings.merging(past.settings) { $1 },
                setting: options.setting(in: folder),
                rounds: rounds,
                floor: least
            )
        }
    }
}
