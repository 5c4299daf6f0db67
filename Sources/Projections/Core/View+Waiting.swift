package import Broker
internal import Synchronization

extension View {
    /// Returns when the view has projected `offset`.
    ///
    /// - Throws: ``ViewUnavailable`` if that doesn't happen before `deadline`, or the view has failed or is closed;
    ///   `CancellationError`.
    package func waitUntilProjected(_ offset: Offset, deadline: ContinuousClock.Instant) async throws {
        if projected >= offset { return }
        let wait = OneWait()
        let token = whenProjected(offset) { wait.end(.success(())) }
        let name = name
        let timer = Task {
            try await Task.sleep(until: deadline, clock: .continuous)
            wait.end(.failure(ViewUnavailable(view: name, reason: .late)))
        }
        defer {
            token.cancel()
            timer.cancel()
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { wait.begin($0) }
        } onCancel: {
            wait.end(.failure(CancellationError()))
        }
        if projected < offset { throw unavailable() }
    }
}

/// One continuation that several may resume: the first counts, even before it is there.
private final class OneWait: Sendable {
    private enum State {
        case idle
        case waiting(CheckedContinuation<Void, any Error>)
        case ended(Result<Void, any Error>)
    }

    private let state = Mutex(State.idle)

    func begin(_ continuation: CheckedContinuation<Void, any Error>) {
        let result: Result<Void, any Error>? = state.withLock { state in
            if case .ended(let result) = state { return result }
            state = .waiting(continuation)
            return nil
        }
        if let result { continuation.resume(with: result) }
    }

    func end(_ result: Result<Void, any Error>) {
        let continuation: CheckedContinuation<Void, any Error>? = state.withLock { state in
            switch state {
            case .idle:
                state = .ended(result)
                return nil
            case .waiting(let continuation):
                state = .ended(result)
                return continuation
            case .ended: return nil
            }
        }
        continuation?.resume(with: result)
    }
}
