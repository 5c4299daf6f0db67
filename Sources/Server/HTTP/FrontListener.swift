import Hummingbird
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle

/// Listens, and hands every connection to a ``FrontChannel``.
///
/// In place of Hummingbird's own server, which has a task for each connection and brings it there by a queue: for a
/// socket that is idle most of the time that is a good part of what it costs.
///
/// ```swift
/// let listener = FrontListener(
///     front: FrontChannel(responder: front.responder(logger: logger), …),
///     address: "127.0.0.1", port: 8080, group: group
/// ) { channel in print("listening on \(channel.localAddress)") }
/// try await listener.run()
/// ```
struct FrontListener: Service {
    let front: FrontChannel
    let address: String
    let port: Int
    let group: MultiThreadedEventLoopGroup
    /// What the kernel holds for one slow reader.
    var sendBufferBytes: Int?
    /// Told once it listens.
    let started: @Sendable (any Channel) async -> Void

    /// Connections that the kernel accepts before anybody has asked for them.
    private static let backlog: Int32 = 256

    /// Serves until it is to stop gracefully or is cancelled.
    ///
    /// Returns when nothing is accepted any more, and all connections that speak HTTP are done; WebSockets may still be
    /// open.
    ///
    /// - Throws: What binding the address throws.
    func run() async throws {
        try await front.connections.run {
            let listener = try await bind()
            await started(listener)
            try? await gracefulShutdown()
            try? await listener.close()
            front.connections.quiesce()
        }
    }

    private func bind() async throws -> any Channel {
        var bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: Self.backlog)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { [front] channel in
                channel.eventLoop.makeCompletedFuture { try front.setUp(channel) }
            }
        if let sendBufferBytes {
            // Accepted sockets have it from here: one system call less for each.
            bootstrap = bootstrap.serverChannelOption(.socketOption(.so_sndbuf), value: .init(sendBufferBytes))
        }
        return try await bootstrap.bind(host: address, port: port).get()
    }
}
