/// What a round of a benchmark runs against.
struct BenchTarget: Sendable {
    var address: BenchAddress
    /// The server's; nil if it isn't known.
    var process: ProcessFigures?
    /// The server's, where this process may read the log; nil of any other server.
    var folder: DataFolder?
}
