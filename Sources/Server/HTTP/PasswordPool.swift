import Cryptography
import NIOPosix
import Synchronization

/// Hashes and checks passwords on a few threads of its own, so that bcrypt's 170 ms (at cost 12) never hold up an event
/// loop or a task.
///
/// What waits is bounded: a flood of logins gets ``PasswordPoolError/busy(retryAfterSeconds:)`` at once instead of an
/// answer in an hour.
final class PasswordPool: Sendable {
    private let threads: NIOThreadPool
    private let cost: Int
    /// How many requests may be here at once, those that a thread works on included.
    private let capacity: Int
    private let admitted = Atomic<Int>(0)

    /// Starts the threads.
    ///
    /// - Parameters:
    ///   - threads: How many, 1 or more.
    ///   - queue: How many requests may wait for a thread, 0 or more.
    ///   - cost: bcrypt's, for new hashes.
    init(threads: Int, queue: Int, cost: Int) {
        self.cost = cost
        capacity = threads + queue
        self.threads = NIOThreadPool(numberOfThreads: threads)
        self.threads.start()
    }

    /// How many requests are here now, working or waiting.
    var load: Int { admitted.load(ordering: .relaxed) }

    /// Hashes `password` as ``Password/hash(_:cost:)`` does.
    ///
    /// - Throws: ``PasswordPoolError``, `PasswordError`; `CancellationError` if the pool has shut down, or the task was
    ///   cancelled before its turn came.
    func hash(_ password: [UInt8]) async throws -> String {
        let cost = cost
        return try await run { try Password.hash(password, cost: cost) }
    }

    /// Whether `hash` was made of `password`.
    ///
    /// - Throws: ``PasswordPoolError``; `CancellationError` as above.
    func verify(_ password: [UInt8], against hash: String) async throws -> Bool {
        try await run { Password.verify(password, against: hash) }
    }

    /// Lets the hashes under way finish, cancels those that wait, and returns when the threads have ended.
    func shutDown() async throws {
        try await threads.shutdownGracefully()
    }

    /// Runs `body` on one of the threads; takes its place in the queue before it first suspends.
    func run<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
        guard admitted.add(1, ordering: .relaxed).newValue <= capacity else {
            admitted.subtract(1, ordering: .relaxed)
            throw PasswordPoolError.busy(retryAfterSeconds: 1)
        }
        defer { admitted.subtract(1, ordering: .relaxed) }
        return try await threads.runIfActive(body)
    }
}

/// Why the pool took no request.
enum PasswordPoolError: Error, Hashable {
    /// All threads work and the queue is full; worth another try after so many seconds.
    case busy(retryAfterSeconds: Int)
}
