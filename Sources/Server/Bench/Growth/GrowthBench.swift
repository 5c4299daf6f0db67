import Foundation
import Projections

/// The same work on a log of a given length, everything that a server does for its clients.
struct GrowthBench: Sendable {
    var history: Int
    var bytes = 150
    /// A hundredth of the work, to see that it works.
    var isQuick = false

    private static let rows = [1000, 50]
    /// The fewest messages that have as many as are asked for in one conversation.
    static let leastHistory = 4 * 1000
    /// Above this a round adds too little to a log to make it anew for each.
    private static let mostToRemake = 1_000_000

    private func scaled(_ count: Int) -> Int { isQuick ? count / 100 : count }

    /// - Parameter rounds: How often; each on a new log, unless that is a long one.
    func run(rounds: Int, in folder: DataFolder, on cores: BenchCores?, bar: ProgressBar) async throws -> [BenchRound] {
        let data = DataFolder("\(folder.path)/\(history)")
        defer { try? FileManager.default.removeItem(atPath: data.path) }
        let sample = BenchLog(messages: history, bytes: bytes)
        var found: [BenchRound] = []
        for number in 1...rounds {
            if number == 1 || history <= Self.mostToRemake {
                try? FileManager.default.removeItem(atPath: data.path)
                try await sample.write(to: data, bar: bar)
            }
            let (replay, _) = try await ReplayBench(log: data, views: ViewFolder(data: data.path)).run(bar: bar)
            var round = BenchRound()
            round.take(.eventsPerSecond, of: replay, as: .rate("events", of: "replay"))
            round.take(.serverCPU, of: replay, as: .cpu("server", of: "replay"))
            // What the disk still has to write would be measured with the server.
            sync()
            try await serve(data, sample, on: cores, &round, bar)
            found.append(round)
        }
        return found
    }

    private func serve(
        _ data: DataFolder,
        _ sample: BenchLog,
        on cores: BenchCores?,
        _ round: inout BenchRound,
        _ bar: ProgressBar
    ) async throws {
        let start = ContinuousClock.now
        let server = try await ChildServer.start(in: data, on: cores)
        do {
            round[.startMilliseconds] = (ContinuousClock.now - start) / .milliseconds(1)
            round[.startCPUMilliseconds] = Double(try server.process.cpuMicroseconds()) / 1000
            let target = BenchTarget(address: server.address, process: server.process, folder: data)
            round.add(try await answers(on: target, sample, bar))
            try await messages(on: target, &round, bar)
            await server.stop()
        } catch {
            await server.stop()
            throw error
        }
    }

    private func answers(on target: BenchTarget, _ sample: BenchLog, _ bar: ProgressBar) async throws -> BenchRound {
        let queries = Self.rows.map { QueryClient.Query.history(rows: $0) } + [.unread]
        let asked = try await QueryBench(queries: queries, count: scaled(5000), sample: sample).run(
            on: target,
            bar: bar
        ).round
        let shown = queries.map(\.name).flatMap { name in
            [BenchMetric.cpu("server", of: name)] + asked.metrics.filter { $0.title == "\(name): p50, µs" }
        }
        return asked.only(shown)
    }

    private func messages(on target: BenchTarget, _ round: inout BenchRound, _ bar: ProgressBar) async throws {
        let single = MessageBench(
            rooms: 0,
            subscribers: 0,
            senders: 1,
            inFlight: 1,
            messages: scaled(2000),
            bytes: bytes
        )
        let acknowledged = try await single.run(on: target, bar: bar)
        round.take(.serverCPU, of: acknowledged.round, as: .cpu("server", of: "one ack at a time"))
        let percentiles = BenchMetric.percentiles(of: acknowledged.acks, "one ack at a time")
        round.add(percentiles.filter { $0.0.title.hasSuffix("p50, µs") || $0.0.title.hasSuffix("p99, µs") })

        let fanout = MessageBench(subscribers: 1000, senders: 8, messages: scaled(8000), bytes: bytes)
        let delivered = try await fanout.run(on: target, bar: bar).round
        round.take(.deliveriesPerSecond, of: delivered, as: .rate("deliveries", of: "fan-out"))
        round.take(.serverCPU, of: delivered, as: .cpu("server", of: "fan-out"))

        let ingest = MessageBench(
            rooms: 0,
            subscribers: 0,
            senders: 64,
            inFlight: 16,
            messages: scaled(128_000),
            bytes: bytes
        )
        let taken = try await ingest.run(on: target, bar: bar).round
        round.take(.messagesPerSecond, of: taken, as: .rate("messages", of: "ingest"))
        round.take(.serverCPU, of: taken, as: .cpu("server", of: "ingest"))
    }
}

extension BenchMetric {
    fileprivate static let startMilliseconds = BenchMetric(
        key: "start_milliseconds",
        title: "start-up: until it listens, ms",
        digits: 1
    )
    fileprivate static let startCPUMilliseconds = BenchMetric(
        key: "start_cpu_milliseconds",
        title: "start-up: server CPU, ms",
        digits: 1
    )
}

extension BenchRound {
    /// Adds a figure of `other` under another name.
    fileprivate mutating func take(_ metric: BenchMetric, of other: BenchRound, as name: BenchMetric) {
        self[name] = other[metric]
    }
}
