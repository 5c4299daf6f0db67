import Broker
import NIOCore
import Synchronization

/// Clients that were away come back, all at once, each with its position in the log.
struct ResumeBench: Sendable {
    var clients = 1000
    /// That each of them has missed, far behind the head.
    var messages = 100
    /// Of others, in between; and what the last client reads from the beginning.
    var others = 1_000_000
    var bytes = 150

    /// A gap that the server reads in the log; it looks into its indexes for a longer one.
    private static let nearEvents = 4000

    /// Runs against `server`, whose log is empty.
    ///
    /// - Throws: ``BenchFailure`` if anything was lost, came twice or out of order, or nothing moves for 30 seconds.
    func run(on server: EmbeddedServer, bar: ProgressBar) async throws -> ResumeReport {
        try FileDescriptors.require(2 * clients + 256)
        var log = try await ResumeLog(clients: clients, bytes: bytes, on: server)
        let first = log.position
        try await log.write(each: messages, others: others, bar: bar)
        let near = log.position
        try await log.write(each: max(1, Self.nearEvents / clients), others: 0, bar: bar)
        let head = log.position

        var rows: [ResumeReport.Row] = []
        for (name, start) in [("near the head", near), ("far behind", first)] {
            let openings = { (progress: ResumeProgress) in
                (0..<clients).map { index in
                    let missed = ResumeClient.Missed(
                        sender: index,
                        numbers: start.each..<head.each,
                        head: head.offset
                    )
                    return Self.opening(missed, ResumeLog.client(index), after: start.offset, progress)
                }
            }
            rows.append(
                try await row(name, gap: head.offset - start.offset, head.each - start.each, openings, server, bar)
            )
        }
        if others > 0 {
            let missed = ResumeClient.Missed(sender: clients, numbers: 0..<others, head: head.offset)
            let openings = { (progress: ResumeProgress) in [Self.opening(missed, ResumeLog.reader, after: 0, progress)]
            }
            rows.append(try await row("from the beginning", gap: head.offset, others, openings, server, bar))
        }
        return ResumeReport(bench: self, head: head.offset, rows: rows)
    }

    private static func opening(
        _ missed: ResumeClient.Missed,
        _ name: String,
        after offset: Offset,
        _ progress: ResumeProgress
    ) -> BenchOpening<ResumeClient> {
        BenchOpening(
            client: ResumeClient(missed, received: progress),
            name: name,
            path: "/ws?account=\(name)&after=\(offset)"
        )
    }

    /// Opens all sockets at once and waits until each is at the head.
    private func row(
        _ name: String,
        gap: Offset,
        _ each: Int,
        _ openings: (ResumeProgress) -> [BenchOpening<ResumeClient>],
        _ server: EmbeddedServer,
        _ bar: ProgressBar
    ) async throws -> ResumeReport.Row {
        let progress = ResumeProgress()
        let openings = openings(progress)
        let total = openings.count * each
        let opened = Mutex<[BenchSocket<ResumeClient>]>([])
        let watch = BenchWatch(
            bar: bar,
            unit: "messages",
            progress: { (progress.messages.load(ordering: .relaxed), total) },
            movement: { progress.messages.load(ordering: .relaxed) },
            cut: { opened.withLock { $0 }.forEach { $0.cut() } }
        )
        let start = ContinuousClock.now
        try await watch.run {
            let sockets = try await BenchSocket.open(openings, at: server.address)
            opened.withLock { $0 = sockets }
            for socket in sockets { try await socket.done.get() }
        }
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let sockets = opened.withLock { $0 }
        for socket in sockets { socket.close() }
        var latencies = Histogram()
        for socket in sockets {
            // It fails if something came twice before the good-bye.
            latencies.record(try await socket.ended.get().microseconds ?? 0)
        }
        return ResumeReport.Row(
            name: name,
            clients: sockets.count,
            messagesEach: each,
            gapEvents: gap,
            seconds: seconds,
            latencies: latencies
        )
    }
}
