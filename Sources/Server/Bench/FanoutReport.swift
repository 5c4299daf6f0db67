/// What `quipu bench fanout` found.
struct FanoutReport: BenchReport {
    var bench: FanoutBench
    var seconds: Double
    /// Of the whole process, server and clients, user and system.
    var cpuMicroseconds: Double

    var deliveries: Int { bench.subscribers * bench.messages }
    var deliveriesPerSecond: Double { seconds > 0 ? Double(deliveries) / seconds : 0 }
    var cpuMicrosecondsPerDelivery: Double { cpuMicroseconds / Double(max(1, deliveries)) }

    var lines: [String] {
        let authors = bench.senders == 1 ? "one sender" : "\(bench.senders.grouped) senders"
        return [
            "\(bench.messages.grouped) messages of \(bench.bytes.grouped) bytes from \(authors) to "
                + "\(bench.subscribers.grouped) subscribers of one room; every commit is fsynced",
            "every subscriber got every message exactly once and in order; every acknowledged message is in the log",
            "\(deliveries.grouped) deliveries in \(seconds.shown(digits: 3)) s: "
                + "\(Int(deliveriesPerSecond).grouped) deliveries/s, \(cpuMicrosecondsPerDelivery.shown(digits: 2)) µs "
                + "of processor time each (server and clients together)",
        ]
    }

    struct Figures: Encodable {
        var subscribers, messages, senders, bytes, deliveries: Int
        var seconds, deliveries_per_second, cpu_microseconds_per_delivery: Double
        var fsync = true
        var exactly_once_in_order = true
        var acknowledged_in_log = true
    }

    var figures: Figures {
        Figures(
            subscribers: bench.subscribers,
            messages: bench.messages,
            senders: bench.senders,
            bytes: bench.bytes,
            deliveries: deliveries,
            seconds: seconds,
            deliveries_per_second: deliveriesPerSecond.rounded(),
            cpu_microseconds_per_delivery: cpuMicrosecondsPerDelivery.rounded(digits: 3)
        )
    }
}
