import NIOCore

/// One room at a steady rate, and some of its subscribers stop reading.
struct SlowBench: Sendable {
    var subscribers = 1000
    /// Shares of them that stop reading, each a run.
    var stuckPercents = [0, 1, 10]
    var messagesPerSecond = 50
    var seconds = 20
    var bytes = 1000

    var messages: Int { messagesPerSecond * seconds }

    /// Runs once for each share, against a server that `withServer` starts for it.
    ///
    /// - Throws: ``BenchFailure`` if anything was lost, came twice or out of order, or nothing moves for 30 seconds.
    func run<Server: BenchServer>(
        bar: ProgressBar,
        _ withServer: (_ body: (Server) async throws -> SlowReport.Row) async throws -> SlowReport.Row
    ) async throws -> SlowReport {
        try FileDescriptors.require(2 * subscribers + 256)
        var rows: [SlowReport.Row] = []
        for percent in stuckPercents { rows.append(try await withServer { try await run(percent, on: $0, bar: bar) }) }
        return SlowReport(bench: self, rows: rows)
    }

    /// How many of the subscribers are stuck.
    func stuck(_ percent: Int) -> Int { (subscribers * percent + 99) / 100 }

    private func run(_ percent: Int, on server: some BenchServer, bar: ProgressBar) async throws -> SlowReport.Row {
        let crowd = try await SlowCrowd(self, stuck: stuck(percent), at: server.address)
        for socket in crowd.stuck { try await socket.pause() }

        let memory = MemoryPeak(of: server.process)
        let residentBefore = try server.process.residentBytes()
        let cpuBefore = try server.process.cpuMicroseconds()
        let watch = BenchWatch(
            bar: bar,
            unit: "deliveries",
            progress: { [messages, subscribers] in (crowd.deliveries, messages * subscribers) },
            movement: { crowd.movement },
            cut: { crowd.cut() }
        )
        let start = ContinuousClock.now
        try await watch.run {
            try await memory.watch {
                crowd.pace.start()
                crowd.sender.wake()
                for socket in crowd.healthy { try await socket.done.get() }
                try await crowd.sender.done.get()
            }
        }
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let cpu = try server.process.cpuMicroseconds() - cpuBefore
        let deliveries = crowd.deliveries

        let readOn = ContinuousClock.now
        for socket in crowd.stuck { socket.goOn() }
        try await watch.run { for socket in crowd.stuck { try await socket.done.get() } }
        let readOnSeconds = (ContinuousClock.now - readOn) / .seconds(1)
        return SlowReport.Row(
            stuckPercent: percent,
            stuck: crowd.stuck.count,
            residentBefore: residentBefore,
            residentPeak: max(residentBefore, memory.peak),
            seconds: seconds,
            deliveries: deliveries,
            cpuMicroseconds: Double(cpu),
            latencies: try await crowd.end(),
            missed: messages * subscribers - deliveries,
            readOnSeconds: readOnSeconds
        )
    }
}
