import Cryptography
import Dispatch
import NIOConcurrencyHelpers
import Testing

@testable import Server

@Suite struct PasswordPoolTests {
    @Test func `a password is hashed and verified`() async throws {
        let pool = PasswordPool(threads: 2, queue: 8, cost: 4)
        let password = Array("密碼".utf8)
        let hash = try await pool.hash(password)
        #expect(hash.hasPrefix("$2b$04$"))
        #expect(try await pool.verify(password, against: hash))
        #expect(try await !pool.verify(Array("else".utf8), against: hash))
        await #expect(throws: PasswordError.containsNUL) { try await pool.hash([0]) }
        #expect(pool.load == 0)
        try await pool.shutDown()
    }

    /// ```
    /// one thread       queue of two        then
    /// blocked          two wait            one more: busy
    /// let go           both run            free again
    /// ```
    @Test func `a full pool refuses at once and takes again when there is room`() async throws {
        let pool = PasswordPool(threads: 1, queue: 2, cost: 4)
        let gate = DispatchSemaphore(value: 0)
        let finished = NIOLockedValueBox<[Int]>([])
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for index in 0..<3 {
                tasks.addTask {
                    try await pool.run {
                        gate.wait()
                        finished.withLockedValue { $0.append(index) }
                    }
                }
            }
            #expect(await eventually { pool.load == 3 })
            await #expect(throws: PasswordPoolError.busy(retryAfterSeconds: 1)) { try await pool.hash([0x61]) }
            await #expect(throws: PasswordPoolError.busy(retryAfterSeconds: 1)) {
                try await pool.verify([0x61], against: "")
            }
            #expect(pool.load == 3)
            for _ in 0..<3 { gate.signal() }
            try await tasks.waitForAll()
        }
        #expect(finished.withLockedValue { $0.sorted() } == [0, 1, 2])
        #expect(pool.load == 0)
        #expect(try await pool.hash([0x61]).hasPrefix("$2b$"))
        try await pool.shutDown()
    }

    @Test func `a shutdown finishes what runs and cancels what waits`() async throws {
        let pool = PasswordPool(threads: 1, queue: 1, cost: 4)
        let gate = DispatchSemaphore(value: 0)
        let runs = NIOLockedValueBox(false)
        async let running: Bool = pool.run {
            runs.withLockedValue { $0 = true }
            gate.wait()
            return true
        }
        #expect(await eventually { runs.withLockedValue { $0 } })
        let waiting = Task { try await pool.run { true } }
        #expect(await eventually { pool.load == 2 })
        async let shutdown: Void = pool.shutDown()
        await #expect(throws: CancellationError.self) { try await waiting.value }
        gate.signal()
        #expect(try await running)
        try await shutdown
        await #expect(throws: CancellationError.self) { try await pool.hash([0x61]) }
        #expect(pool.load == 0)
    }

    @Test func `a request that is cancelled while it waits is never run`() async throws {
        let pool = PasswordPool(threads: 1, queue: 1, cost: 4)
        let gate = DispatchSemaphore(value: 0)
        let runs = NIOLockedValueBox(false)
        async let running: Void = pool.run {
            runs.withLockedValue { $0 = true }
            gate.wait()
        }
        #expect(await eventually { runs.withLockedValue { $0 } })
        let hasRun = NIOLockedValueBox(false)
        let waiting = Task { try await pool.run { hasRun.withLockedValue { $0 = true } } }
        #expect(await eventually { pool.load == 2 })
        waiting.cancel()
        gate.signal()
        try await running
        await #expect(throws: CancellationError.self) { try await waiting.value }
        #expect(!hasRun.withLockedValue { $0 })
        #expect(pool.load == 0)
        try await pool.shutDown()
    }
}
