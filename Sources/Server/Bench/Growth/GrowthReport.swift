/// What `quipu bench growth` found.
struct GrowthReport: BenchReport {
    var setting: BenchSetting
    var bytes: Int
    /// By length of the log.
    var columns: [Column]

    struct Column: Sendable {
        /// Messages in the log beforehand.
        var history: Int
        var rounds: [BenchRound]

        var best: BenchRound { .best(of: rounds) }
    }

    var lines: [String] {
        let shortest = columns[0]
        var table = BenchTable(
            ["messages in the log"] + columns.map(\.history.grouped) + columns.dropFirst().map { _ in "times as dear" }
        )
        let ratios = columns.dropFirst().map { $0.best.ratio(to: shortest.best) }
        for metric in shortest.best.metrics {
            table.add(
                [metric.title] + columns.map { $0.best[metric].map(metric.shown) ?? "" }
                    + ratios.map { $0[metric]?.shown(digits: 2) ?? "" }
            )
        }
        return setting.lines + [
            "the same work on logs of so many messages of \(bytes.grouped) bytes; the best of "
                + "\(shortest.rounds.count.grouped) rounds, of each figure; replays are by this process on any core",
            "every answer, delivery and acknowledgement was right, and every acknowledged message is stored",
        ] + table.lines
    }

    struct Figures: Encodable {
        struct Column: Encodable {
            var history: Int
            var rounds: [[String: Double]]
            var best, median: [String: Double]
            /// How many times as dear as on the first log.
            var ratio: [String: Double]
        }
        var benchmark = "growth"
        var setting: BenchSetting
        var bytes: Int
        var logs: [Column]
        var exactly_once_in_order = true
        var acknowledged_is_stored = true
    }

    var figures: Figures {
        let shortest = columns[0].best
        return Figures(
            setting: setting,
            bytes: bytes,
            logs: columns.map { column in
                Figures.Column(
                    history: column.history,
                    rounds: column.rounds.map(\.figures),
                    best: column.best.figures,
                    median: BenchRound.median(of: column.rounds).figures,
                    ratio: column.best.ratio(to: shortest).figures
                )
            }
        )
    }
}
