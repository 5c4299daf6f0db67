import ArgumentParser
import Broker
import Foundation

/// `quipu bench floor`: what other benchmarks start to learn what the kernel and LMDB take at the least.
struct FloorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "floor",
        abstract: "Do the least that the kernel allows, for --floor of the others.",
        shouldDisplay: false,
        subcommands: [
            FloorAppendCommand.self, FloorReplayCommand.self, FloorSocketsCommand.self, FloorAnswersCommand.self,
        ]
    )
}

/// `quipu bench floor append`.
struct FloorAppendCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "append")

    @Option var events: Int
    @Option var perCommit: Int
    @Option var bytes: Int
    @Option var folder: String

    func validate() throws {
        guard events > 0, perCommit > 0, bytes > 0 else { throw ValidationError("all must be 1 or more.") }
    }

    func run() async throws {
        let meter = try FloorMeter()
        try LogFloor.append(events: events, perCommit: perCommit, contentBytes: bytes, in: folder)
        var report = try meter.report(events: events)
        let file = try FileManager.default.attributesOfItem(atPath: folder + "/data.mdb")
        report.log_bytes = (file[.size] as? NSNumber)?.intValue
        try report.print()
    }
}

/// `quipu bench floor replay`.
struct FloorReplayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "replay")

    @Option var log: String
    @Option var folder: String

    func run() async throws {
        let log = try EventLog(directory: log, isReadOnly: true)
        let meter = try FloorMeter()
        try LogFloor.scan(log)
        let scanned = meter.seconds
        try LogFloor.load(rows: Int(log.head), in: folder)
        var report = try meter.report(events: Int(log.head))
        report.scan_seconds = scanned
        report.load_seconds = report.seconds - scanned
        try report.print()
    }
}

/// What this process has used since this was made.
private struct FloorMeter {
    private let start = ContinuousClock.now
    private let cpu: Int
    private let written: Int?

    init() throws {
        cpu = try ProcessFigures.own.cpuMicroseconds()
        written = try? ProcessFigures.own.writtenBytes()
    }

    var seconds: Double { (ContinuousClock.now - start) / .seconds(1) }

    func report(events: Int) throws -> FloorJob.Report {
        FloorJob.Report(
            events: events,
            seconds: seconds,
            cpu_microseconds: try ProcessFigures.own.cpuMicroseconds() - cpu,
            written_bytes: try written.map { try ProcessFigures.own.writtenBytes() - $0 }
        )
    }
}

extension FloorJob.Report {
    fileprivate func print() throws {
        StandardOutput.print(String(decoding: try JSONEncoder().encode(self), as: UTF8.self))
    }
}
