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
    ) async throws -> BenchRound {
        let stored = (0..<sample.peers).map { sample.count(ofPeer: $0) }
        var round = BenchRound()
        for query in queries {
            let progress = QueryProgress()
            func client(_ count: Int) -> BenchOpening<QueryClient> {
                let client = QueryClient(query, of: peer, queries: count, stored: stored, progress: progress)
                return BenchOpening(client: client, name: "the reader", path: "/ws?account=\(reader)")
            }
            // The first answers find the pages that the next ones use: they are for warming up.
            let sockets = try await BenchSocket.open([client(max(1, count / 20)), client(count)], at: target.address)
            let watch = BenchWatch(
                bar: bar,
                unit: "queries",
                progress: { (progress.count, count + max(1, count / 20)) },
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
            round.add(try await meter.round(rate: .rate("queries", of: query.name), units: count, prefix: query.name))
            for socket in sockets { socket.close() }
            _ = try await sockets[0].ended.get()
            round.add(BenchMetric.percentiles(of: try await sockets[1].ended.get().latencies, query.name))
        }
        if let process = target.process {
            round[.residentPeak] = Double(try process.peakResidentBytes())
        }
        return round
    }
}
