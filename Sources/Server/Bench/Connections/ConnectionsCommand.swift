import ArgumentParser

/// `quipu bench connections`: what it takes to connect, and to be connected.
struct ConnectionsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "connections",
        abstract: "Open many WebSockets, and see what they take while they do nothing.",
        discussion: """
            Each is of an account of its own, made beforehand, and opens a session socket. When all are open each
            answers a ping. Memory per connection is what the server's has grown by; the kernel's isn't in it.

            Examples:
              quipu bench connections --count 10000 --floor
              quipu bench connections --count 1000 --at-once 256 --json
            """
    )

    @Option(help: ArgumentHelp("Sockets.", valueName: "n"))
    var count = 10_000

    @Option(help: ArgumentHelp("Sockets that are being opened at once.", valueName: "n"))
    var atOnce = 64

    @Flag(help: "Answer as many handshakes with a bare loop of accept, recv and send too, and print the ratio.")
    var floor = false

    @OptionGroup var options: BenchOptions

    func validate() throws {
        guard 1...50_000 ~= count else { throw ValidationError("--count must be 1 to 50,000.") }
        guard 1...1_000 ~= atOnce else { throw ValidationError("--at-once must be 1 to 1,000.") }
    }

    func run() async throws {
        let bench = ConnectionsBench(count: count, atOnce: atOnce)
        try await BenchResult.print(asJSON: options.json, unit: "connections", in: options.folder) { folder, bar in
            let rounds = try await options.each(in: folder) { try await bench.run(on: $0, bar: bar) }
            let cores = options.cores
            let least = floor ? try await HandshakeFloor(bench).rounds(options.rounds, on: cores, bar) : []
            return BenchResult(
                name: "connections",
                work: "\(count.grouped) session sockets, \(atOnce.grouped) opened at once, then idle",
                checked: "every one was greeted, and answered a ping when all were open",
                settings: ["count": count, "at_once": atOnce],
                setting: options.setting(in: folder),
                rounds: rounds,
                floor: least
            )
        }
    }
}
