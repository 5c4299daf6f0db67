import Broker

/// A server that a benchmark runs against, in this process or in one of its own.
protocol BenchServer: Sendable {
    /// On 127.0.0.1.
    var port: Int { get }
    /// The process that it runs in.
    var process: ProcessFigures { get }
    func stop() async
}

extension BenchServer {
    var address: BenchAddress { BenchAddress(port: port) }
}

/// Why a benchmark's result counts for nothing.
struct BenchFailure: Error, Equatable, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}
