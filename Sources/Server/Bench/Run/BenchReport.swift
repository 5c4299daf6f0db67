import Foundation

/// What a benchmark has found.
protocol BenchReport: Sendable {
    /// The figures as one JSON object.
    associatedtype Figures: Encodable
    var figures: Figures { get }
    /// For people, after the lines of the machine.
    var lines: [String] { get }
}

extension BenchReport {
    /// For machines: the figures, and what they were measured on.
    func json(on machine: BenchMachine = .current) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let row = Row(machine: machine, figures: figures)
        return String(decoding: try encoder.encode(row), as: UTF8.self)
    }

    /// Runs `body` in a temporary folder, which is removed, and prints what it finds; Ctrl-C ends it in good order.
    ///
    /// - Parameter parent: Where that folder is made; nil: where the system has such things.
    static func print(
        asJSON: Bool,
        unit: String,
        in parent: String? = nil,
        _ body: @escaping @Sendable (DataFolder, ProgressBar) async throws -> Self
    ) async throws {
        let report = try await Interruption.cancelling {
            let folder = DataFolder(
                (parent.map { $0 + "/" } ?? NSTemporaryDirectory()) + "quipu-bench-" + UUID().uuidString
            )
            defer { try? FileManager.default.removeItem(atPath: folder.path) }
            let bar = ProgressBar(unit: unit)
            defer { bar.finish() }
            return try await body(folder, bar)
        }
        if asJSON {
            StandardOutput.print(try report.json())
        } else {
            for line in BenchMachine.current.lines + report.lines { StandardOutput.print(line) }
        }
    }
}

private struct Row<Figures: Encodable>: Encodable {
    var machine: BenchMachine
    var figures: Figures

    private enum Key: CodingKey { case machine }

    /// The figures beside the machine, not below.
    func encode(to encoder: any Encoder) throws {
        try figures.encode(to: encoder)
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(machine, forKey: .machine)
    }
}

extension Double {
    /// Rounded to so many digits after the point, for JSON.
    func rounded(digits: Int) -> Double {
        let factor = pow(10, Double(digits))
        return (self * factor).rounded() / factor
    }

    /// With so many digits after the point, for people.
    func shown(digits: Int) -> String { String(format: "%.\(digits)f", self) }
}
