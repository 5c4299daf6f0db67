/// What `quipu bench slow` found.
struct SlowReport: BenchReport {
    var bench: SlowBench
    var rows: [Row]

    struct Row: Sendable {
        var stuckPercent: Int
        var stuck: Int
        /// The server's memory when all were connected, and the most of it until the healthy had everything.
        var residentBefore: Int
        var residentPeak: Int
        /// From the first message until the healthy had everything.
        var seconds: Double
        /// Until then, those that the stuck ones had before included.
        var deliveries: Int
        var cpuMicroseconds: Double
        /// Nanoseconds, of the healthy, from when a message was due.
        var latencies: Histogram
        /// Deliveries that the stuck ones had missed then, and how long they took for them.
        var missed: Int
        var readOnSeconds: Double

        var healthyPerSecond: Double { seconds > 0 ? Double(latencies.count) / seconds : 0 }
        var cpuMicrosecondsPerDelivery: Double { cpuMicroseconds / Double(max(1, deliveries)) }
        func milliseconds(at share: Double) -> Double { Double(latencies.value(at: share)) / 1_000_000 }
    }

    var lines: [String] {
        var table = BenchTable([
            "stuck", "RSS MiB", "peak MiB", "deliveries/s", "p50 ms", "p99 ms", "p99.9 ms", "CPU µs", "missed",
            "read on s",
        ])
        for row in rows {
            table.add([
                "\(row.stuckPercent) % (\(row.stuck.grouped))", Self.mebibytes(row.residentBefore).shown(digits: 1),
                Self.mebibytes(row.residentPeak).shown(digits: 1), Int(row.healthyPerSecond).grouped,
                row.milliseconds(at: 0.5).shown(digits: 2), row.milliseconds(at: 0.99).shown(digits: 2),
                row.milliseconds(at: 0.999).shown(digits: 2), row.cpuMicrosecondsPerDelivery.shown(digits: 2),
                row.missed.grouped, row.readOnSeconds.shown(digits: 3),
            ])
        }
        return [
            "\(bench.messagesPerSecond.grouped) messages/s of \(bench.bytes.grouped) bytes for \(bench.seconds) s to "
                + "\(bench.subscribers.grouped) subscribers of one room, of whom some stop reading; every commit is "
                + "fsynced",
            "latency and deliveries/s: of those who read, from when a message was due; RSS and CPU, per delivery: of "
                + "the server's process; missed: deliveries that the stuck ones had to catch up with at the end",
            "every subscriber, the stuck ones too, got every message exactly once and in order; nobody was cut off",
        ] + table.lines
    }

    private static func mebibytes(_ bytes: Int) -> Double { Double(bytes) / Double(1 << 20) }

    struct Figures: Encodable {
        struct Row: Encodable {
            var stuck_percent, stuck, rss_before_bytes, rss_peak_bytes: Int
            var seconds, healthy_deliveries_per_second, p50_ms, p99_ms, p999_ms, cpu_microseconds_per_delivery: Double
            var missed: Int
            var read_on_seconds: Double
        }
        var subscribers, messages_per_second, seconds, bytes: Int
        var fsync = true
        var exactly_once_in_order = true
        var runs: [Row]
    }

    var figures: Figures {
        Figures(
            subscribers: bench.subscribers,
            messages_per_second: bench.messagesPerSecond,
            seconds: bench.seconds,
            bytes: bench.bytes,
            runs: rows.map { row in
                Figures.Row(
                    stuck_percent: row.stuckPercent,
                    stuck: row.stuck,
                    rss_before_bytes: row.residentBefore,
                    rss_peak_bytes: row.residentPeak,
                    seconds: row.seconds.rounded(digits: 3),
                    healthy_deliveries_per_second: row.healthyPerSecond.rounded(),
                    p50_ms: row.milliseconds(at: 0.5).rounded(digits: 3),
                    p99_ms: row.milliseconds(at: 0.99).rounded(digits: 3),
                    p999_ms: row.milliseconds(at: 0.999).rounded(digits: 3),
                    cpu_microseconds_per_delivery: row.cpuMicrosecondsPerDelivery.rounded(digits: 3),
                    missed: row.missed,
                    read_on_seconds: row.readOnSeconds.rounded(digits: 3)
                )
            }
        )
    }
}
