/// Watches a benchmark while it runs: shows how far it is, and cuts it short if nothing moves any more.
struct BenchWatch: Sendable {
    var bar: ProgressBar
    /// What is counted, as in "deliveries".
    var unit: String
    /// How many of how many are done, for the progress bar.
    var progress: @Sendable () -> (done: Int, total: Int)
    /// Grows as long as anything moves.
    var movement: @Sendable () -> Int
    /// Closes all sockets, upon which what waits for them fails.
    var cut: @Sendable () -> Void

    private static let stallSeconds = 30

    /// Runs `body`.
    ///
    /// - Throws: ``BenchFailure`` if `body` fails, also because nothing moves for 30 seconds; `CancellationError`.
    func run(_ body: @escaping @Sendable () async throws -> Void) async throws {
        try await withThrowingTaskGroup { group in
            group.addTask {
                var last = (sum: -1, at: ContinuousClock.now)
                while !Task.isCancelled {
                    try? await Task.sleep(for: .milliseconds(100))
                    let (done, total) = progress()
                    bar.update(done: UInt64(done), total: UInt64(total))
                    let sum = movement()
                    if sum != last.sum { last = (sum, .now) }
                    if ContinuousClock.now - last.at > .seconds(Self.stallSeconds) { cut() }
                }
            }
            defer { group.cancelAll() }
            do {
                try await withTaskCancellationHandler(operation: body, onCancel: cut)
            } catch {
                try Task.checkCancellation()
                let (done, total) = progress()
                throw BenchFailure("\(CommandFailure(error).message) (\(done.grouped) of \(total.grouped) \(unit))")
            }
        }
    }
}
