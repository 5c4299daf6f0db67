/// What a benchmark of several rounds found.
struct BenchResult: BenchReport {
    /// The command's.
    var name: String
    /// What was done, in a sentence.
    var work: String
    /// What was checked, in a sentence.
    var checked: String
    /// By the names of the options.
    var settings: [String: Int]
    var setting: BenchSetting
    var rounds: [BenchRound]
    /// The least that the kernel allows, if that was asked for.
    var floor: [BenchRound] = []

    private var best: BenchRound { .best(of: rounds) }
    private var median: BenchRound { .median(of: rounds) }

    var lines: [String] {
        let leastCost = BenchRound.best(of: floor)
        let ratio = best.ratio(to: leastCost)
        let head = [""] + rounds.indices.map { "round \($0 + 1)" } + ["best", "median"]
        var table = BenchTable(head + (floor.isEmpty ? [] : ["floor", "best : floor"]))
        for metric in rounds.first?.metrics ?? [] {
            var columns = rounds + [best, median]
            if !floor.isEmpty { columns.append(leastCost) }
            var row = [metric.title] + columns.map { $0[metric].map(metric.shown) ?? "" }
            if !floor.isEmpty { row.append(ratio[metric].map { $0.shown(digits: 2) } ?? "") }
            table.add(row)
        }
        return setting.lines + [work, checked] + table.lines
    }

    struct Figures: Encodable {
        var benchmark: String
        var settings: [String: Int]
        var setting: BenchSetting
        var rounds: [[String: Double]]
        var best, median: [String: Double]
        var floor, best_to_floor: [String: Double]?
        /// The benchmark has failed otherwise, and printed nothing.
        var exactly_once_in_order = true
        var acknowledged_is_stored = true
    }

    var figures: Figures {
        let leastCost = BenchRound.best(of: floor)
        return Figures(
            benchmark: name,
            settings: settings,
            setting: setting,
            rounds: rounds.map(\.figures),
            best: best.figures,
            median: median.figures,
            floor: floor.isEmpty ? nil : leastCost.figures,
            best_to_floor: floor.isEmpty ? nil : best.ratio(to: leastCost).figures
        )
    }
}
