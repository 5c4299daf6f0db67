/// What one round of a benchmark measured, in the order in which it is shown.
struct BenchRound: Sendable {
    private(set) var metrics: [BenchMetric] = []
    private var values: [BenchMetric: Double] = [:]

    init(_ figures: [(BenchMetric, Double)] = []) { for (metric, value) in figures { self[metric] = value } }

    subscript(metric: BenchMetric) -> Double? {
        get { values[metric] }
        set {
            if values[metric] == nil, newValue != nil { metrics.append(metric) }
            values[metric] = newValue
        }
    }

    mutating func add(_ figures: [(BenchMetric, Double)]) { for (metric, value) in figures { self[metric] = value } }

    mutating func add(_ other: BenchRound) { for metric in other.metrics { self[metric] = other[metric] } }

    /// Nothing but `metrics`.
    func only(_ metrics: [BenchMetric]) -> BenchRound {
        BenchRound(metrics.compactMap { metric in self[metric].map { (metric, $0) } })
    }

    /// The best of each figure by itself; nothing if there are no rounds.
    static func best(of rounds: [BenchRound]) -> BenchRound {
        combined(rounds) { metric, values in metric.moreIsBetter ? values.last : values.first }
    }

    /// The median of each figure by itself: of an even number of rounds the lesser of the two in the middle.
    static func median(of rounds: [BenchRound]) -> BenchRound {
        combined(rounds) { _, values in values.isEmpty ? nil : values[(values.count - 1) / 2] }
    }

    /// Each figure that both have, divided by that of `floor`; of rates the other way round, so that 1 is as good as
    /// the floor and 2 twice as dear.
    func ratio(to floor: BenchRound) -> BenchRound {
        var ratio = BenchRound()
        for metric in metrics {
            guard let own = self[metric], let least = floor[metric], own > 0, least > 0 else { continue }
            ratio[metric] = metric.moreIsBetter ? least / own : own / least
        }
        return ratio
    }

    private static func combined(
        _ rounds: [BenchRound],
        _ choose: (BenchMetric, _ ascending: [Double]) -> Double?
    ) -> BenchRound {
        var combined = BenchRound()
        for metric in rounds.first?.metrics ?? [] {
            combined[metric] = choose(metric, rounds.compactMap { $0[metric] }.sorted())
        }
        return combined
    }

    /// By the keys of JSON.
    var figures: [String: Double] {
        Dictionary(uniqueKeysWithValues: values.map { ($0.key.key, $0.value.rounded(digits: 4)) })
    }
}
