import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1

/// Sets up every accepted connection: HTTP by Hummingbird and our own WebSockets on one port.
///
/// ```swift
/// let connections = HTTPConnections()
/// let application = Application(
///     responder: HTTPFront.make(origins: origins) { router in … },
///     server: FrontChannel.server(configuration, connections),
///     …)
/// try await connections.run { try await application.run() }
/// ```
///
/// The task that Hummingbird's server has for a connection ends at once; those that speak HTTP get one from
/// ``HTTPConnections``. So its shutdown doesn't wait for WebSockets: who installs them must know them and close them.
struct FrontChannel: ServerChildChannel, HTTPChannelHandler {
    struct Configuration: Sendable {
        var limits: FrontLimits
        var origins: OriginPolicy
        /// Asked once for each connection, on its event loop, before anything is read; false closes it.
        var admits: @Sendable (any Channel) -> Bool = { _ in true }
        /// Decides about WebSockets.
        var decide: UpgradeGate.Decide
    }

    struct Value: ServerChildChannelValue {
        let channel: any Channel
    }

    let responder: HTTPChannelHandler.Responder
    let configuration: Configuration
    let connections: HTTPConnections

    /// The builder that a Hummingbird application takes.
    static func server(_ configuration: Configuration, _ connections: HTTPConnections) -> HTTPServerBuilder {
        HTTPServerBuilder { responder in
            FrontChannel(responder: responder, configuration: configuration, connections: connections)
        }
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            guard configuration.admits(channel) else {
                channel.close(promise: nil)
                return Value(channel: channel)
            }
            // Little until a connection shows that it has more to say: most sockets are idle most of the time.
            try channel.syncOptions?.setOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(minimum: 128, initial: 256, maximum: 65_536)
            )
            let first = FirstRequest(
                limits: configuration.limits,
                origins: configuration.origins,
                logger: logger,
                decide: configuration.decide,
                addHTTP: { try addHandlers(to: $0, decide: $1, deadline: $2, logger: logger) }
            )
            try channel.pipeline.syncOperations.addHandler(first)
            return Value(channel: channel)
        }
    }

    private func addHandlers(
        to channel: any Channel,
        decide: @escaping UpgradeGate.Decide,
        deadline: NIODeadline,
        logger: Logger
    ) throws {
        let limits = configuration.limits
        var decoderLimits = NIOHTTPDecoderLimitConfiguration()
        decoderLimits.maxHeaderListSize = limits.headBytes
        decoderLimits.maxHeaderFieldSize = limits.headBytes
        let neighbours = UpgradeGate.Neighbours(
            encoder: HTTPResponseEncoder(),
            decoder: ByteToMessageHandler(
                HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes, limitConfiguration: decoderLimits)
            ),
            requestGuard: RequestGuard(limits: limits, origins: configuration.origins)
        )
        let gate = UpgradeGate(
            neighbours: neighbours,
            deadline: deadline,
            origins: configuration.origins,
            logger: logger,
            decide: decide,
            addHTTP: { try addHTTP(to: $0, idleTime: limits.idleTime, logger: logger) }
        )
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(neighbours.encoder)
        try pipeline.addHandler(neighbours.decoder)
        try pipeline.addHandler(neighbours.requestGuard)
        try pipeline.addHandler(gate)
    }

    /// The rest of the pipeline that Hummingbird's own `HTTP1Channel` builds, and the task that serves it.
    private func addHTTP(to channel: any Channel, idleTime: TimeAmount, logger: Logger) throws {
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: false))
        let idle = Duration.nanoseconds(idleTime.nanoseconds)
        try pipeline.addHandler(HTTPConnectionStateHandler(idleTimeout: idle, logger: logger))
        let connection = try NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>(
            wrappingChannelSynchronously: channel,
            configuration: .init(isOutboundHalfClosureEnabled: true)
        )
        let isServed = connections.serve { await handleHTTP(asyncChannel: connection, logger: logger) }
        if !isServed { channel.close(promise: nil) }
    }

    /// Nothing: there is a task for each connection that needs one.
    func handle(value: Value, logger: Logger) async {}
}
