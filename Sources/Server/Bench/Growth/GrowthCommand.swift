import ArgumentParser
import Foundation

/// `quipu bench growth`: whether anything costs more on a long log than on a short one.
struct GrowthCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "growth",
        abstract: "Do the same on a short log and on a long one, and print what it costs on each.",
        discussion: """
            Writes each log, builds all views from it, starts a server on it, asks for history and unread counts, sends
            one message at a time, fans out to a room of 1,000, and sends from 64 senders with 16 in flight each. Ten
            million messages take some minutes and 8 GiB.

            Examples:
              quipu bench growth
              quipu bench growth --history 4000 --history 100000 --rounds 1 --quick
            """
    )

    @Option(help: ArgumentHelp("Messages in a log; the others are held against the first.", valueName: "n"))
    var history = [10_000, 10_000_000]

    @Option(help: ArgumentHelp("Bytes of a message.", valueName: "n"))
    var bytes = 150

    @Flag(inversion: .prefixedNo, help: "Bind the server to one core and the load to another, if there are two.")
    var pin = true

    @Flag(help: "Do a hundredth of the work on each log: the figures mean little.")
    var quick = false

    @OptionGroup var options: RoundOptions

    func validate() throws {
        guard !history.isEmpty, history.allSatisfy({ GrowthBench.leastHistory...100_000_000 ~= $0 }) else {
            throw ValidationError("--history must be \(GrowthBench.leastHistory.grouped) to 100,000,000.")
        }
        guard Set(history).count == history.count else { throw ValidationError("--history must differ.") }
        guard BenchMark.leastContentBytes...65_536 ~= bytes else {
            throw ValidationError("--bytes must be \(BenchMark.leastContentBytes) to 65,536.")
        }
    }

    func run() async throws {
        try await GrowthReport.print(asJSON: options.json, unit: "steps", in: options.folder) { folder, bar in
            try folder.make()
            let cores = pin ? BenchCores.available : nil
            let setting = BenchSetting.own(on: cores, in: folder)
            var found: [GrowthReport.Column] = []
            for history in history {
                let bench = GrowthBench(history: history, bytes: bytes, isQuick: quick)
                let rounds = try await bench.run(rounds: options.rounds, in: folder, on: cores, bar: bar)
                found.append(GrowthReport.Column(history: history, rounds: rounds))
            }
            return GrowthReport(setting: setting, bytes: bytes, columns: found)
        }
    }
}
