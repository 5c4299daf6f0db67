internal import Dispatch
internal import Synchronization

/// A command on its way to the writer, or something else that it is to do between two commits.
struct Submission: Sendable {
    enum Task: Sendable {
        case command(Command)
        /// Called on the writer's thread when it is done.
        case compaction(@Sendable (Result<Void, any Error>) -> Void)
    }

    var task: Task
    var sink = -1
    var ticket: UInt64 = 0
    /// Called with the outcome on the writer's thread, for who waits by `await`.
    var reply: (@Sendable (Outcome) -> Void)?

    /// Answers what isn't done.
    func refuse() {
        if case .compaction(let done) = task { done(.failure(Refusal.unavailable)) }
        reply?(.refused(.unavailable))
    }
}

/// Many threads put commands in, the writer takes all at once.
///
/// A lock around an array that is swapped costs 40 to 90 ns a command, less than a lock-free stack, and the writer is
/// woken (3 µs) only when it sleeps.
final class CommandQueue: Sendable {
    private struct State {
        var waiting: [Submission] = []
        var isAsleep = false
        var isClosed = false
    }

    private let state = Mutex(State())
    private let wake = DispatchSemaphore(value: 0)
    private let capacity: Int

    init(capacity: Int) { self.capacity = capacity }

    /// Puts `submission` in.
    ///
    /// - Parameter wakes: Whether the writer is woken if it sleeps; who says no must call ``wakeWriter()`` soon.
    /// - Returns: False if the queue is full or closed.
    func append(_ submission: Submission, wakes: Bool = true) -> Bool {
        let (accepted, wasAsleep) = state.withLock { state -> (Bool, Bool) in
            guard !state.isClosed, state.waiting.count < capacity else { return (false, false) }
            state.waiting.append(submission)
            guard wakes else { return (true, false) }
            defer { state.isAsleep = false }
            return (true, state.isAsleep)
        }
        if wasAsleep { wake.signal() }
        return accepted
    }

    /// Wakes the writer if something waits for it and it sleeps.
    func wakeWriter() {
        let wakes = state.withLock { state in
            guard state.isAsleep, !state.waiting.isEmpty else { return false }
            state.isAsleep = false
            return true
        }
        if wakes { wake.signal() }
    }

    /// Whether nothing waits.
    var isEmpty: Bool { state.withLock { $0.waiting.isEmpty } }

    /// Swaps what waits with `taken`, which must be empty.
    ///
    /// Sleeps while nothing does.
    ///
    /// - Returns: False if the queue is closed and empty.
    func take(_ taken: inout [Submission]) -> Bool {
        while true {
            let done = state.withLock { state -> Bool? in
                if !state.waiting.isEmpty {
                    swap(&state.waiting, &taken)
                    return false
                }
                if state.isClosed { return true }
                state.isAsleep = true
                return nil
            }
            if let done { return !done }
            wake.wait()
        }
    }

    /// Refuses what comes from now on.
    ///
    /// - Returns: False if it was closed before.
    func close() -> Bool {
        let (wasOpen, wakes) = state.withLock { state -> (Bool, Bool) in
            guard !state.isClosed else { return (false, false) }
            state.isClosed = true
            defer { state.isAsleep = false }
            return (true, state.isAsleep)
        }
        if wakes { wake.signal() }
        return wasOpen
    }
}
