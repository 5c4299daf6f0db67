import Synchronization

/// Ends the server when the log can't be written any more and that isn't for want of room: to go on answering would be
/// to promise what can't be kept.
final class FailureSignal: Sendable {
    private let stream: AsyncStream<String>
    private let continuation: AsyncStream<String>.Continuation

    init() { (stream, continuation) = AsyncStream.makeStream(of: String.self) }

    func raise(_ reason: String) { continuation.yield(reason) }

    /// Runs `body`, and throws as soon as a failure is raised.
    func watching(_ body: @escaping @Sendable () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: String?.self) { group in
            group.addTask {
                try await body()
                return nil
            }
            let stream = stream
            group.addTask {
                for await reason in stream { return reason }
                return nil
            }
            let first = try await group.next() ?? nil
            group.cancelAll()
            if let first { throw CommandFailure(first) }
        }
    }
}
