import Logging
import NIOCore
import NIOHTTP1

/// Looks at what a connection begins with: a plain handshake of a WebSocket is decided on and answered here, for
/// everything else NIO's HTTP handlers are put into the pipeline, and get the bytes as they came.
///
/// ```
/// FirstRequest ──accept────────▶ what `install` adds, and nothing else
///              ──anything else─▶ encoder, decoder, guard, UpgradeGate, see there
/// ```
///
/// A refusal is written by the ``UpgradeGate`` as well, which is told the decision: it alone knows how to end HTTP.
/// While the decision is made no more is read than what comes next; a connection that isn't through in time, ends half
/// way, or is there at shutdown, is cut.
final class FirstRequest: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Puts the handlers of HTTP behind this one; the decider that they shall ask, and by when they must be through.
    typealias AddHTTP = (any Channel, @escaping UpgradeGate.Decide, NIODeadline) throws -> Void

    private enum State {
        case waiting
        /// Asked about the head in so many bytes.
        case deciding(headBytes: Int)
        case done
    }

    private let limits: FrontLimits
    private let origins: OriginPolicy
    private let logger: Logger
    private let decide: UpgradeGate.Decide
    private let addHTTP: AddHTTP
    private let whenDone: (any Channel) -> Void

    private var state = State.waiting
    private var bytes = ByteBuffer()
    private var deadline = NIODeadline.distantFuture
    private var timer: NIOScheduledCallback?
    private var holdsRead = false
    private var isHTTP = false

    /// - Parameter whenDone: Told when the connection is a WebSocket, or closed without having become anything.
    init(
        limits: FrontLimits,
        origins: OriginPolicy,
        logger: Logger,
        decide: @escaping UpgradeGate.Decide,
        addHTTP: @escaping AddHTTP,
        whenDone: @escaping (any Channel) -> Void = { _ in }
    ) {
        self.limits = limits
        self.origins = origins
        self.logger = logger
        self.decide = decide
        self.addHTTP = addHTTP
        self.whenDone = whenDone
    }

    func handlerAdded(context: ChannelHandlerContext) {
        deadline = context.eventLoop.now + limits.handshakeTime
        timer = try? context.eventLoop.scheduleCallback(at: deadline, handler: Closing(channel: context.channel))
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        finish()
        if !isHTTP { whenDone(context.channel) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .done = state else {
            // A copy: the channel reads into the same few bytes again if nobody keeps them.
            bytes.writeImmutableBuffer(Self.unwrapInboundIn(data))
            return
        }
        context.fireChannelRead(data)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        switch state {
        case .waiting where bytes.readableBytes > 0: look(context)
        case .waiting, .deciding: break
        case .done: context.fireChannelReadComplete()
        }
    }

    func read(context: ChannelHandlerContext) {
        // With the head here, what else comes would only pile up. Mostly nothing does, and to stop reading and to begin
        // again would be two system calls.
        if case .deciding(let headBytes) = state, bytes.readableBytes > headBytes {
            holdsRead = true
        } else {
            context.read()
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .done = state {
            context.fireUserInboundEventTriggered(event)
        } else if event is ChannelShouldQuiesceEvent || (event as? ChannelEvent) == .inputClosed {
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func look(_ context: ChannelHandlerContext) {
        guard let request = PlainUpgrade(bytes, maxHeadBytes: limits.headBytes),
            origins.allows(request.head.headers.first(name: "origin"))
        else { return enterHTTP(decide, context: context) }
        state = .deciding(headBytes: request.headBytes)
        let decision = decide(request.head, context.channel).hop(to: context.eventLoop)
        decision.assumeIsolated().whenComplete { [self] result in
            guard case .deciding(let headBytes) = state else { return }
            if case .success(.accept(let headers, let install)) = result {
                bytes.moveReaderIndex(forwardBy: headBytes)
                enterSocket(headers, install, context: context)
            } else {
                enterHTTP({ _, channel in channel.eventLoop.makeCompletedFuture(result) }, context: context)
            }
        }
    }

    private func enterHTTP(_ decide: @escaping UpgradeGate.Decide, context: ChannelHandlerContext) {
        finish()
        isHTTP = true
        context.channel.closeFuture.assumeIsolated().whenComplete { [whenDone, channel = context.channel] _ in
            whenDone(channel)
        }
        do {
            try addHTTP(context.channel, decide, deadline)
        } catch {
            context.close(promise: nil)
            return
        }
        leave(context)
    }

    /// Writes the 101, and what the WebSocket has to say at once with it.
    private func enterSocket(
        _ headers: HTTPHeaders,
        _ install: @Sendable (any Channel) throws -> Void,
        context: ChannelHandlerContext
    ) {
        finish()
        context.write(Self.wrapOutboundOut(Self.switching(headers)), promise: nil)
        let installation = Result { try install(context.channel) }
        context.flush()
        if case .failure(let error) = installation {
            logger.error("no WebSocket after its handshake", metadata: ["error": "\(error)"])
            context.close(promise: nil)
        }
        leave(context)
    }

    /// Hands what has been read to whoever stands behind, and goes.
    private func leave(_ context: ChannelHandlerContext) {
        let channel = context.channel
        if bytes.readableBytes > 0 {
            context.fireChannelRead(Self.wrapInboundOut(bytes))
            context.fireChannelReadComplete()
        }
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
        guard holdsRead else { return }
        channel.read()
    }

    private static func switching(_ headers: HTTPHeaders) -> ByteBuffer {
        var response = ByteBuffer()
        response.reserveCapacity(256)
        response.writeStaticString("HTTP/1.1 101 Switching Protocols\r\n")
        for (name, value) in headers {
            response.writeString(name)
            response.writeStaticString(": ")
            response.writeString(value)
            response.writeStaticString("\r\n")
        }
        response.writeStaticString("\r\n")
        return response
    }

    private func finish() {
        state = .done
        timer?.cancel()
        timer = nil
    }

    private struct Closing: NIOScheduledCallbackHandler {
        let channel: any Channel

        func handleScheduledCallback(eventLoop: some EventLoop) { channel.close(promise: nil) }
    }
}

@available(*, unavailable)
extension FirstRequest: Sendable {}
