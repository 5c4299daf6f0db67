import Foundation

/// What `quipu bench fanout` found.
struct FanoutReport: Sendable {
    var bench: FanoutBench
    var seconds: Double
    /// Of the whole process, server and clients, user and system.
    var cpuMicroseconds: Double

    var deliveries: Int { bench.subscribers * bench.messages }
    var deliveriesPerSecond: Double { seconds > 0 ? Double(deliveries) / seconds : 0 }
    var cpuMicrosecondsPerDelivery: Double { cpuMicroseconds / Double(max(1, deliveries)) }

    /// For people.
    var lines: [String] {
        let authors = bench.senders == 1 ? "one sender" : "\(bench.senders.grouped) senders"
        let cpu = String(format: "%.2f", cpuMicrosecondsPerDelivery)
        return [
            "\(bench.messages.grouped) messages of \(bench.bytes.grouped) bytes from \(authors) to "
                + "\(bench.subscribers.grouped) subscribers of one room; every commit is fsynced",
            "every subscriber got every message exactly once and in order; every acknowledged message is in the log",
            "\(deliveries.grouped) deliveries in \(String(format: "%.3f", seconds)) s: "
                + "\(Int(deliveriesPerSecond).grouped) deliveries/s, \(cpu) µs of processor time each "
                + "(server and clients together)",
        ]
    }

    /// For machines.
    func json() throws -> String {
        struct Row: Encodable {
            var subscribers, messages, senders, bytes, deliveries: Int
            var seconds, deliveries_per_second, cpu_microseconds_per_delivery: Double
            var fsync = true
            var exactly_once_in_order = true
            var acknowledged_in_log = true
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let row = Row(
            subscribers: bench.subscribers,
            messages: bench.messages,
            senders: bench.senders,
            bytes: bench.bytes,
            deliveries: deliveries,
            seconds: seconds,
            deliveries_per_second: deliveriesPerSecond.rounded(),
            cpu_microseconds_per_delivery: (cpuMicrosecondsPerDelivery * 1000).rounded() / 1000
        )
        return String(decoding: try encoder.encode(row), as: UTF8.self)
    }
}
