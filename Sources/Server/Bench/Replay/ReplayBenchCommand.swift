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
            Two views are built at a time, as `quipu replay` does, on all cores, by this process, whose memory and
            processor time are printed. Each view is read through afterwards and must come out the same in every round.

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

    @Option(help: ArgumentHelp("How often it is measured.", valueName: "n"))
    var rounds = 3

    @Option(
        help: ArgumentHelp(
            "Where the data lies meanwhile (default: the system's folder for temporary files).",
            valueName: "dir"
        )
    )
    var folder: String?

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        guard 1...100_000_000 ~= messages else { throw ValidationError("--messages must be 1 to 100,000,000.") }
        guard 1...100 ~= rounds else { throw ValidationError("--rounds must be 1 to 100.") }
        guard BenchMark.leastContentBytes...65_536 ~= bytes else {
            throw ValidationError("--bytes must be \(BenchMark.leastContentBytes) to 65,536.")
        }
    }

    func run() async throws {
        try await BenchResult.print(asJSON: json, unit: "events", in: folder) { folder, bar in
            let data = DataFolder(folder.path + "/data")
            try await BenchLog(messages: messages, bytes: bytes).write(to: data, bar: bar)
            var found: [BenchRound] = []
            var digests: [[Digest]] = []
            for _ in 0..<rounds {
                let (round, digest) = try await replay(data, folder, bar)
                found.append(round)
                digests.append(digest)
            }
            guard digests.allSatisfy({ $0 == digests[0] }) else {
                throw BenchFailure("two replays of the same log came out differently")
            }
            let job = FloorJob.replay(log: data.log)
            let least = floor ? try await job.rounds(rounds, in: folder, on: nil, bar) : []
            let mounts = (try? String(contentsOfFile: "/proc/self/mounts", encoding: .utf8)) ?? ""
            return BenchResult(
                name: "replay",
                work: "all views of a log of \(messages.grouped) messages of \(bytes.grouped) bytes, two at a time; "
                    + "processor time and memory are those of this process",
                checked: "every replay came to the end of the log, and all to the same rows",
                settings: ["messages": messages, "bytes": bytes],
                setting: BenchSetting(
                    server: "own",
                    fsync: true,
                    file_system: BenchSetting.fileSystem(of: folder.path, mounts: mounts)
                ),
                rounds: found,
                floor: least
            )
        }
    }

    private func replay(
        _ data: DataFolder,
        _ scratch: DataFolder,
        _ bar: ProgressBar
    ) async throws -> (BenchRound, [Digest]) {
        let log = try await EventLog.opening(directory: data.log, isReadOnly: true)
        let views = DataFolder(scratch.path + "/views")
        try views.make()
        defer { try? FileManager.default.removeItem(atPath: views.path) }
        let own = ProcessFigures.own
        own.forgetPeak()
        let (before, cpu) = (try own.residentBytes(), try own.cpuMicroseconds())
        let start = ContinuousClock.now
        let seconds = try await ViewBuilding.each(Views.projections) {
            bar.update(label: $0.view, done: $0.events, total: $0.of)
        } _: { projection, report in
            let start = ContinuousClock.now
            try Rebuild.build(projection, from: log, into: views.path + "/" + projection.name, report: report)
            return (ContinuousClock.now - start) / .seconds(1)
        }
        let all = (ContinuousClock.now - start) / .seconds(1)
        let events = Double(log.head)
        var round = BenchRound([(.eventsPerSecond, events / all)])
        for (projection, seconds) in zip(Views.projections, seconds) {
            round[.rate("events", of: projection.name)] = events / seconds
        }
        round[.serverCPU] = Double(try own.cpuMicroseconds() - cpu) / events
        round[.residentBefore] = Double(before)
        round[.residentPeak] = Double(try own.peakResidentBytes())
        // Only now, so that looking at the rows is no part of making them.
        let digests = try Views.projections.map { projection in
            let store = try ViewStore(projection, readOnlyDirectory: views.path + "/" + projection.name)
            guard try store.checkpoint().offset == log.head else {
                throw BenchFailure("the view \(projection.name) isn't at the end of the log")
            }
            return try ViewDigest(store).digest
        }
        return (round, digests)
    }
}
