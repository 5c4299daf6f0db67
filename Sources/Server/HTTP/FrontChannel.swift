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
/// let front = HTTPFront.make(origins: origins) { router in … }
/// let channel = FrontChannel(responder: front.responder(logger: logger), configuration: configuration, logger: logger)
/// ```
///
/// Who installs WebSockets must know them and close them: ``connections`` has those that speak HTTP alone.
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
    let logger: Logger
    let connections = HTTPConnections()

    /// Sets up a connection that was accepted a moment ago, on its event loop.
    func setUp(_ channel: any Channel) throws {
        guard connections.enter(channel), configuration.admits(channel) else {
            connections.leave(channel)
            channel.close(promise: nil)
            return
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
            addHTTP: { try addHandlers(to: $0, decide: $1, deadline: $2) },
            whenDone: { connections.leave($0) }
        )
        try channel.pipeline.syncOperations.addHandler(first)
    }

    /// As ``setUp(_:)``; for Hummingbird's protocol, whose way of serving HTTP this has.
    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            try setUp(channel)
            return Value(channel: channel)
        }
    }

    private func addHandlers(
        to channel: any Channel,
        decide: @escaping UpgradeGate.Decide,
        deadline: NIODeadline
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
            addHTTP: { try addHTTP(to: $0, idleTime: limits.idleTime) }
        )
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(neighbours.encoder)
        try pipeline.addHandler(neighbours.decoder)
        try pipeline.addHandler(neighbours.requestGuard)
        try pipeline.addHandler(gate)
    }

    /// The rest of the pipeline that Hummingbird's own `HTTP1Channel` builds, and the task that serves it.
    private func addHTTP(to channel: any Channel, idleTime: TimeAmount) throws {
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: false))
        let idle = Duration.nanoseconds(idleTime.nanoseconds)
        try pipeline.addHandler(HTTPConnectionStateHandler(idleTimeout: idle, logger: logger))
        let connection = try NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>(
            wrappingChannelSynchronously: channel,
            configuration: .init(isOutboundHalfClosureEnabled: true)
        )
        let isServed = connections.serve { [logger] in await handleHTTP(asyncChannel: connection, logger: logger) }
        if !isServed { channel.close(promise: nil) }
    }

    /// Nothing: there is a task for each connection that needs one.
    func handle(value: Value, logger: Logger) async {}
}
