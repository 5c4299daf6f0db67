import Broker

/// A server that a benchmark runs against, in this process.
protocol BenchServer: Sendable {
    /// On 127.0.0.1.
    var port: Int { get }
    var log: EventLog { get }
    func stop() async
}

/// Why a benchmark's result counts for nothing.
struct BenchFailure: Error, Equatable, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}
