import Dispatch
import Synchronization

/// Work that keeps a thread for long: done on one of Dispatch's, not on one of the few that run tasks.
enum BlockingWork {
    /// Runs `body` and waits for it.
    ///
    /// - Parameter body: Should call what it is given now and then: that throws once the task is cancelled.
    static func run<Value: Sendable>(
        on queue: DispatchQueue = .global(),
        _ body: @escaping @Sendable (_ check: @escaping @Sendable () throws -> Void) throws -> Value
    ) async throws -> Value {
        let isCancelled = Flag()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                queue.async {
                    continuation.resume(
                        with: Result { try body { if isCancelled.isSet { throw CancellationError() } } }
                    )
                }
            }
        } onCancel: {
            isCancelled.set()
        }
    }

    private final class Flag: Sendable {
        private let value = Atomic(false)
        var isSet: Bool { value.load(ordering: .relaxed) }
        func set() { value.store(true, ordering: .relaxed) }
    }
}
