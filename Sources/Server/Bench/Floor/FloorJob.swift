import Foundation

/// What the kernel and LMDB do at the least, as work for a process of its own on the server's core, so that it is
/// measured as the server is.
enum FloorJob: Sendable {
    /// Records appended to a bare LMDB, flushed as the log is.
    case append(events: Int, perCommit: Int, contentBytes: Int)
    /// The events of a log read in order, and as many rows loaded in order.
    case replay(log: String)

    /// What the process says that it took.
    struct Report: Codable, Equatable, Sendable {
        var events: Int
        var seconds: Double
        var cpu_microseconds: Int
        var log_bytes: Int?
        var written_bytes: Int?
        var scan_seconds: Double?
        var load_seconds: Double?
    }

    /// Does it as often as asked for, each time in a new folder below `folder`.
    func rounds(
        _ count: Int,
        in folder: DataFolder,
        on cores: BenchCores?,
        _ bar: ProgressBar
    ) async throws
        -> [BenchRound]
    {
        var rounds: [BenchRound] = []
        for number in 1...count {
            bar.update(label: "floor", done: UInt64(number - 1), total: UInt64(count))
            let own = DataFolder("\(folder.path)/floor-\(number)")
            try own.make()
            let report = try await report(in: own, on: cores)
            try? FileManager.default.removeItem(atPath: own.path)
            rounds.append(Self.round(report))
        }
        return rounds
    }

    private func report(in folder: DataFolder, on cores: BenchCores?) async throws -> Report {
        let child = BenchCores.process(["bench", "floor"] + arguments + ["--folder", folder.path], on: cores)
        let output = try await child.output()
        return try JSONDecoder().decode(Report.self, from: output)
    }

    private var arguments: [String] {
        switch self {
        case .append(let events, let perCommit, let contentBytes):
            ["append", "--events", "\(events)", "--per-commit", "\(perCommit)", "--bytes", "\(contentBytes)"]
        case .replay(let log): ["replay", "--log", log]
        }
    }

    private static func round(_ report: Report) -> BenchRound {
        let events = Double(max(1, report.events))
        let isReplay = report.scan_seconds != nil
        var round = BenchRound([(isReplay ? .eventsPerSecond : .messagesPerSecond, events / max(report.seconds, 1e-9))])
        round[.serverCPU] = Double(report.cpu_microseconds) / events
        if let bytes = report.written_bytes { round[.diskBytes] = Double(bytes) / events }
        if let bytes = report.log_bytes { round[.logBytes] = Double(bytes) / events }
        return round
    }
}

extension Process {
    /// Starts it and returns what it has written when it has ended.
    ///
    /// - Throws: ``CommandFailure`` if it can't be started or fails.
    func output() async throws -> Data {
        let pipe = Pipe()
        standardOutput = pipe
        standardInput = FileHandle.nullDevice
        do {
            try run()
        } catch {
            throw CommandFailure("a process of the benchmark can't be started: \(error.shortDescription)")
        }
        let output: Data = await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                let data = (try? pipe.fileHandleForReading.readToEnd()) ?? Data()
                self.waitUntilExit()
                continuation.resume(returning: data)
            }
        }
        try Task.checkCancellation()
        guard terminationStatus == 0 else {
            throw CommandFailure("a process of the benchmark ended with \(terminationStatus)")
        }
        return output
    }
}
