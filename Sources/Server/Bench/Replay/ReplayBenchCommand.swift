import ArgumentParser
import Broker
import Cryptography
import Foundation
import Projections

/// `quipu bench replay`: how fast all views are made anew.
struct ReplayBenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Write a log and build all views from it.",
        discussion: """
            They are built as `quipu replay` does, at once and from one reading of the log, not flushed, on all cores,
            by this process, whose memory and processor time are printed. Each view is read through afterwards and must
            come out the same in every round.

            Examples:
              quipu bench replay --floor
              quipu bench replay --messages 10000000 --rounds 1 --json
            """
    )

    @Option(help: ArgumentHelp("Messages in the log.", valueName: "n"))
    var messages = 1_000_000

    @Option(help: ArgumentHelp("Bytes of a message.", valueName: "n"))
    var bytes = 150

    @Flag(help: "Scan the log and load as many rows with a bare LMDB too, and print the ratio.")
    var floor = false

    @OptionGroup var options: RoundOptions

    func validate() throws {
        guard 1...100_000_000 ~= messages else { throw ValidationError("--messages must be 1 to 100,000,000.") }
        guard BenchMark.leastContentBytes...65_536 ~= bytes else {
            throw ValidationError("--bytes must be \(BenchMark.leastContentBytes) to 65,536.")
        }
    }

    func run() async throws {
        try await BenchResult.print(asJSON: options.json, unit: "events", in: options.folder) { folder, bar in
            let data = DataFolder(folder.path + "/data")
            try await BenchLog(messages: messages, bytes: bytes).write(to: data, bar: bar)
            var found: [BenchRound] = []
            var digests: [[Digest]] = []
            for _ in 0..<options.rounds {
                let views = folder.path + "/replayed"
                let (round, digest) = try await ReplayBench(log: data, views: ViewFolder(data: views)).run(bar: bar)
                try? FileManager.default.removeItem(atPath: views)
                found.append(round)
                digests.append(digest)
            }
            guard digests.allSatisfy({ $0 == digests[0] }) else {
                throw BenchFailure("two replays of the same log came out differently")
            }
            let job = FloorJob.replay(log: data.log)
            let least = floor ? try await job.rounds(options.rounds, in: folder, on: nil, bar) : []
            return BenchResult(
                name: "replay",
                work: "all views of a log of \(messages.grouped) messages of \(bytes.grouped) bytes, at once; "
                    + "processor time and memory are those of this process",
                checked: "every replay came to the end of the log, and all to the same rows",
                settings: ["messages": messages, "bytes": bytes],
                setting: .own(on: nil, in: folder),
                rounds: found,
                floor: least
            )
        }
    }
}
