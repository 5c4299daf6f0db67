import ArgumentParser

/// `quipu bench query`: what answers cost.
struct QueryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "query",
        abstract: "Ask for the newest messages and for unread counts, on a log of any length.",
        discussion: """
            Writes a log first: a quarter of its messages are of the conversation that is asked for, a quarter make up
            the unread counts, and the rest are others'. One query is on its way at a time, and latency counts from when
            it was sent. With --url the messages are sent to the server, without the others'.

            The floor of --floor is the kernel's part alone: a loop that neither parses a request nor reads a table, and
            sends the bytes that the server has sent, checked by the same client. What the server takes beyond it is for
            requests, rows and their text.

            Examples:
              quipu bench query
              quipu bench query --history 10000000 --floor
              quipu bench query --rows 10 --queries 10000 --json
            """
    )

    @Option(help: ArgumentHelp("Messages in the log.", valueName: "n"))
    var history = 100_000

    @Option(help: ArgumentHelp("Messages that are asked for; may be given more than once.", valueName: "n"))
    var rows = [1000, 50]

    @Option(help: ArgumentHelp("Peers with unread messages.", valueName: "n"))
    var peers = 20

    @Option(help: ArgumentHelp("Queries of each kind.", valueName: "n"))
    var queries = 10_000

    @Option(help: ArgumentHelp("Bytes of a message.", valueName: "n"))
    var bytes = 150

    @Flag(help: "Send the same bytes from a bare loop of recv and send too, and print the ratio.")
    var floor = false

    @OptionGroup var options: BenchOptions

    func validate() throws {
        guard 1...100_000_000 ~= history else { throw ValidationError("--history must be 1 to 100,000,000.") }
        guard !rows.isEmpty, rows.allSatisfy({ 1...10_000 ~= $0 }) else {
            throw ValidationError("--rows must be 1 to 10,000.")
        }
        guard 1...1_000 ~= peers else { throw ValidationError("--peers must be 1 to 1,000.") }
        guard history >= 4 * max(rows.max() ?? 1, peers) else {
            throw ValidationError("--history must be four times --rows and --peers or more: a quarter is asked for.")
        }
        guard 1...100_000_000 ~= queries else { throw ValidationError("--queries must be 1 to 100,000,000.") }
        guard BenchMark.leastContentBytes...65_536 ~= bytes else {
            throw ValidationError("--bytes must be \(BenchMark.leastContentBytes) to 65,536.")
        }
    }

    func run() async throws {
        let bench = QueryBench(
            queries: rows.map { .history(rows: $0) } + [.unread],
            count: queries,
            sample: BenchLog(messages: history, peers: peers, bytes: bytes)
        )
        try await BenchResult.print(asJSON: options.json, unit: "queries", in: options.folder) { folder, bar in
            let data = DataFolder(folder.path + "/data")
            var results: [QueryBench.Result]
            if let url = options.url, let address = BenchAddress(url: url) {
                let sending = try await QuerySending(bench.sample, to: address, bar: bar)
                results = try await options.each(in: folder) {
                    try await bench.run(on: $0, reader: sending.reader, peer: sending.peer, bar: bar)
                }
            } else {
                try await bench.sample.make(in: data, bar: bar)
                results = try await options.each(in: folder, data: data) { try await bench.run(on: $0, bar: bar) }
            }
            let least =
                floor
                ? try await AnswerFloor(bench, answers: results[0].answers)
                    .rounds(options.rounds, in: folder, on: options.cores, bar) : []
            return BenchResult(
                name: "query",
                work:
                    "\(queries.grouped) queries of each kind, one at a time, on a log of \(history.grouped) messages "
                    + "of \(bytes.grouped) bytes; unread counts of \(peers.grouped) peers",
                checked: "every answer had the messages and counts that it should, in order",
                settings: ["history": history, "peers": peers, "queries": queries, "bytes": bytes],
                setting: options.setting(in: folder),
                rounds: results.map(\.round),
                floor: least
            )
        }
    }
}
