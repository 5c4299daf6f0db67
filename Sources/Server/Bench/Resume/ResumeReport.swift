import Broker

/// What `quipu bench resume` found.
struct ResumeReport: BenchReport {
    var bench: ResumeBench
    var head: Offset
    var rows: [Row]

    struct Row: Sendable {
        var name: String
        var clients: Int
        var messagesEach: Int
        /// From the clients' position to the head.
        var gapEvents: Offset
        var seconds: Double
        /// Microseconds, of each client from its connecting to the head.
        var latencies: Histogram

        var clientsPerSecond: Double { seconds > 0 ? Double(clients) / seconds : 0 }
        var messagesPerSecond: Double { clientsPerSecond * Double(messagesEach) }
        func milliseconds(at share: Double) -> Double { Double(latencies.value(at: share)) / 1000 }
    }

    var lines: [String] {
        var table = BenchTable([
            "position", "gap, events", "clients", "messages each", "seconds", "clients/s", "messages/s", "p50 ms",
            "p99 ms",
        ])
        for row in rows {
            table.add([
                row.name, Int(row.gapEvents).grouped, row.clients.grouped, row.messagesEach.grouped,
                row.seconds.shown(digits: 3), row.clientsPerSecond.shown(digits: row.clients == 1 ? 2 : 0),
                Int(row.messagesPerSecond).grouped, row.milliseconds(at: 0.5).shown(digits: 1),
                row.milliseconds(at: 0.99).shown(digits: 1),
            ])
        }
        return [
            "\(bench.clients.grouped) clients come back at once to a log of \(Int(head).grouped) events, with messages "
                + "of \(bench.bytes.grouped) bytes; session sockets, server and clients in one process",
            "every client got every message that it had missed exactly once and in order, and was then told so",
        ] + table.lines
    }

    struct Figures: Encodable {
        struct Row: Encodable {
            var position: String
            var gap_events: Offset
            var clients, messages_each: Int
            var seconds, clients_per_second, messages_per_second, p50_ms, p99_ms: Double
        }
        var bytes: Int
        var log_events: Offset
        var resumes: [Row]
        var exactly_once_in_order = true
    }

    var figures: Figures {
        Figures(
            bytes: bench.bytes,
            log_events: head,
            resumes: rows.map { row in
                Figures.Row(
                    position: row.name,
                    gap_events: row.gapEvents,
                    clients: row.clients,
                    messages_each: row.messagesEach,
                    seconds: row.seconds.rounded(digits: 4),
                    clients_per_second: row.clientsPerSecond.rounded(digits: 1),
                    messages_per_second: row.messagesPerSecond.rounded(),
                    p50_ms: row.milliseconds(at: 0.5).rounded(digits: 2),
                    p99_ms: row.milliseconds(at: 0.99).rounded(digits: 2)
                )
            }
        )
    }
}
