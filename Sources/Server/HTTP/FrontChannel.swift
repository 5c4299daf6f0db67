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
/// let application = Application(
///     responder: HTTPFront.make(origins: origins) { router in … },
///     server: FrontChannel.server(configuration),
///     …)
/// ```
///
/// A WebSocket costs Hummingbird's server no task (3.9 KB): ``handle(value:logger:)`` returns as soon as a connection
/// is one, so that its shutdown doesn't wait for them. Who installs them must know them and close them.
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
        fileprivate let outcome: EventLoopFuture<UpgradeGate.Outcome>
    }

    let responder: HTTPChannelHandler.Responder
    let configuration: Configuration

    /// The builder that a Hummingbird application takes.
    static func server(_ configuration: Configuration) -> HTTPServerBuilder {
        HTTPServerBuilder { responder in FrontChannel(responder: responder, configuration: configuration) }
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            guard configuration.admits(channel) else {
                channel.close(promise: nil)
                return Value(channel: channel, outcome: channel.eventLoop.makeSucceededFuture(.closed))
            }
            // 128 bytes until a connection shows that it has more to say: most sockets are idle most of the time.
            try channel.syncOptions?.setOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(minimum: 128, initial: 128, maximum: 65_536)
            )
            let outcome = channel.eventLoop.makePromise(of: UpgradeGate.Outcome.self)
            try addHandlers(to: channel, outcome: outcome, logger: logger)
            return Value(channel: channel, outcome: outcome.futureResult)
        }
    }

    private func addHandlers(
        to channel: any Channel,
        outcome: EventLoopPromise<UpgradeGate.Outcome>,
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
            handshakeTime: limits.handshakeTime,
            origins: configuration.origins,
            logger: logger,
            outcome: outcome,
            decide: configuration.decide,
            addHTTP: { try Self.addHTTP(to: $0, idleTime: limits.idleTime, logger: logger) }
        )
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(neighbours.encoder)
        try pipeline.addHandler(neighbours.decoder)
        try pipeline.addHandler(neighbours.requestGuard)
        try pipeline.addHandler(gate)
    }

    /// The rest of the pipeline that Hummingbird's own `HTTP1Channel` builds.
    private static func addHTTP(
        to channel: any Channel,
        idleTime: TimeAmount,
        logger: Logger
    ) throws -> UpgradeGate.HTTPConnection {
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: false))
        let idle = Duration.nanoseconds(idleTime.nanoseconds)
        try pipeline.addHandler(HTTPConnectionStateHandler(idleTimeout: idle, logger: logger))
        return try NIOAsyncChannel(
            wrappingChannelSynchronously: channel,
            configuration: .init(isOutboundHalfClosureEnabled: true)
        )
    }

    func handle(value: Value, logger: Logger) async {
        let outcome = await withTaskCancellationHandler {
            try? await value.outcome.get()
        } onCancel: {
            value.channel.close(promise: nil)
        }
        guard case .http(let connection) = outcome else { return }
        // Requests may take long, and the loop has sockets to serve.
        await withTaskExecutorPreference(globalConcurrentExecutor) {
            await handleHTTP(asyncChannel: connection, logger: logger)
        }
    }
}
