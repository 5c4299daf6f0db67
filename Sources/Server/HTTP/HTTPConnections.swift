/// The connections of a front that speak HTTP, each served by a task of its own.
///
/// Only these: a task for each connection, as Hummingbird has it, would cost every WebSocket one too.
final class HTTPConnections: Sendable {
    typealias Work = @Sendable () async -> Void

    private let works: AsyncStream<Work>
    private let continuation: AsyncStream<Work>.Continuation

    init() { (works, continuation) = AsyncStream.makeStream() }

    /// Serves a connection by `work`.
    ///
    /// - Returns: False if the front has stopped; `work` is not run then.
    func serve(_ work: @escaping Work) -> Bool {
        if case .enqueued = continuation.yield(work) { true } else { false }
    }

    /// Serves while `body` runs, and returns when it has and all connections that came meanwhile are done.
    ///
    /// - Throws: What `body` throws; the connections are cancelled then.
    func run(during body: @Sendable () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            // Requests may take long, and the event loops have sockets to serve.
            group.addTask(executorPreference: globalConcurrentExecutor) { [works] in
                await withDiscardingTaskGroup { tasks in
                    for await work in works { tasks.addTask { await work() } }
                }
            }
            defer { continuation.finish() }
            try await body()
        }
    }
}
