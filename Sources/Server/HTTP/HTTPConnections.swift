import NIOCore
import Synchronization

/// The connections of a front that are no WebSocket, or not yet; those that speak HTTP are each served by a task.
final class HTTPConnections: Sendable {
    typealias Work = @Sendable () async -> Void

    private let works: AsyncStream<Work>
    private let continuation: AsyncStream<Work>.Continuation
    /// Nil when no more are let in.
    private let open = Mutex<[ObjectIdentifier: any Channel]?>([:])

    init() { (works, continuation) = AsyncStream.makeStream() }

    /// Takes in a connection, until ``leave(_:)``.
    ///
    /// - Returns: False if the front has stopped.
    func enter(_ channel: any Channel) -> Bool {
        open.withLock { open in
            open?[ObjectIdentifier(channel)] = channel
            return open != nil
        }
    }

    /// The connection is closed, or a WebSocket.
    func leave(_ channel: any Channel) { open.withLock { $0?[ObjectIdentifier(channel)] = nil } }

    /// Lets no more in, and tells those that are here that they are to end what they have begun.
    func quiesce() {
        let channels = open.withLock { open in
            defer { open = nil }
            return open ?? [:]
        }
        for channel in channels.values {
            channel.eventLoop.execute { channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent()) }
        }
    }

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
