import Broker
import NIOCore

/// Queries of one reader, one at a time, on a log of a given length.
struct QueryBench: Sendable {
    var queries: [QueryClient.Query]
    /// Of each.
    var count = 1000
    var sample: BenchLog

    /// Runs against `target`, whose log is ``sample``.
    ///
    /// - Throws: ``BenchFailure`` if an answer is wrong or nothing comes for 30 seconds.
    func run(
        on target: BenchTarget,
        reader: String = BenchLog.reader,
        peer: String = BenchLog.peer(0),
        bar: ProgressBar
    ) async throws -> Result {
        var round = BenchRound()
        var answers: [[UInt8]] = []
        let paths = [String](repeating: "/ws?account=\(reader)", count: 2)
        for query in queries {
            let found = try await self.round(of: query, on: target, paths: paths, peer: peer, bar: bar)
            round.add(found.round)
            answers.append(found.answer)
        }
        if let process = target.process {
            round[.residentPeak] = Double(try process.peakResidentBytes())
        }
        return Result(round: round, answers: answers)
    }

    /// What a run has found.
    struct Result: Sendable {
        var round: BenchRound
        /// An answer to each query.
        var answers: [[UInt8]]
    }

    /// The queries before those that are measured: the first answers find the pages that the next ones use.
    var warmups: Int { max(1, count / 20) }

    /// Asks one query over and over.
    ///
    /// - Parameter paths: Of the socket that warms up, and of the one that is measured.
    /// - Returns: The figures, and an answer.
    func round(
        of query: QueryClient.Query,
        on target: BenchTarget,
        paths: [String],
        peer: String = BenchLog.peer(0),
        bar: ProgressBar
    ) async throws -> (round: BenchRound, answer: [UInt8]) {
        let stored = (0..<sample.peers).map { sample.count(ofPeer: $0) }
        let progress = QueryProgress()
        let openings = zip(paths, [warmups, count]).map { path, count in
            let client = QueryClient(query, of: peer, queries: count, stored: stored, progress: progress)
            return BenchOpening(client: client, name: "the reader", path: path)
        }
        let sockets = try await BenchSocket.open(openings, at: target.address)
        let total = count + warmups
        let watch = BenchWatch(
            bar: bar,
            unit: "queries",
            progress: { (progress.count, total) },
            movement: { progress.count },
            cut: { for socket in sockets { socket.cut() } }
        )
        try await watch.run {
            sockets[0].wake()
            try await sockets[0].done.get()
        }
        let meter = try await BenchMeter(target)
        try await watch.run {
            sockets[1].wake()
            try await sockets[1].done.get()
        }
        var round = try await meter.round(rate: .rate("queries", of: query.name), units: count, prefix: query.name)
        for socket in sockets { socket.close() }
        let answer = try await sockets[0].ended.get().answer
        round.add(BenchMetric.percentiles(of: try await sockets[1].ended.get().latencies, query.name))
        return (round, answer)
    }
}
