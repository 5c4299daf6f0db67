/// Something that a benchmark measures, in its unit.
struct BenchMetric: Hashable, Sendable {
    /// In JSON.
    var key: String
    /// For people.
    var title: String
    var digits = 0
    /// What one for people is in the unit of JSON: a mebibyte is 1,048,576 bytes.
    var scale = 1.0
    var moreIsBetter = false

    static let deliveriesPerSecond = rate("deliveries")
    static let messagesPerSecond = rate("messages")
    static let queriesPerSecond = rate("queries")
    static let eventsPerSecond = rate("events")
    static let connectsPerSecond = rate("connects")
    static let serverCPU = cpu("server")
    static let clientCPU = cpu("client")
    static let residentBefore = memory("rss_before", "RSS before, MiB")
    static let residentPeak = memory("rss_peak", "RSS peak, MiB")
    static let diskBytes = BenchMetric(key: "disk_bytes_per_event", title: "written to disk per event, bytes")
    static let logBytes = BenchMetric(key: "log_bytes_per_event", title: "growth of the log per event, bytes")
    static let eventsPerCommit = BenchMetric(
        key: "events_per_commit",
        title: "events per commit",
        digits: 1,
        moreIsBetter: true
    )
    static let residentPerConnection = BenchMetric(
        key: "rss_bytes_per_connection",
        title: "RSS per connection, bytes"
    )
    static let privatePerConnection = BenchMetric(
        key: "private_bytes_per_connection",
        title: "private memory (USS) per connection, bytes"
    )

    static func rate(_ what: String, of prefix: String = "") -> BenchMetric {
        BenchMetric(
            key: prefixed(prefix, "\(what)_per_second"),
            title: titled(prefix, "\(what)/s"),
            moreIsBetter: true
        )
    }

    /// Of all threads of a process, user and system, for each of what the rate counts.
    static func cpu(_ whose: String, of prefix: String = "") -> BenchMetric {
        BenchMetric(
            key: prefixed(prefix, "\(whose)_cpu_microseconds"),
            title: titled(prefix, "\(whose) CPU, µs each"),
            digits: 3
        )
    }

    private static func memory(_ key: String, _ title: String) -> BenchMetric {
        BenchMetric(key: key + "_bytes", title: title, digits: 1, scale: Double(1 << 20))
    }

    private static func prefixed(_ prefix: String, _ key: String) -> String {
        prefix.isEmpty ? key : prefix.replacing(" ", with: "_").replacing(",", with: "") + "_" + key
    }

    private static func titled(_ prefix: String, _ title: String) -> String {
        prefix.isEmpty ? title : "\(prefix): \(title)"
    }

    /// The percentiles that every latency is told by, in microseconds.
    ///
    /// - Parameter nanoseconds: All of them.
    static func percentiles(of nanoseconds: Histogram, _ prefix: String) -> [(BenchMetric, Double)] {
        let shares = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999), ("max", 1)]
        return shares.map { name, share in
            let metric = BenchMetric(
                key: prefixed(prefix, "\(name.replacing(".", with: ""))_microseconds"),
                title: titled(prefix, "\(name), µs"),
                digits: 1
            )
            return (metric, Double(nanoseconds.value(at: share)) / 1000)
        }
    }

    func shown(_ value: Double) -> String {
        let scaled = value / scale
        return digits == 0 ? Int(scaled.rounded()).grouped : scaled.shown(digits: digits)
    }
}
