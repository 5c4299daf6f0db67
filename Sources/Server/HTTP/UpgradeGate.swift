import HTTPTypes
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes

/// Holds the first request of a connection, if it was no plain handshake, until it is decided whether the connection
/// becomes a WebSocket or stays HTTP.
///
/// NIO's typed upgrader would lose the head of a request that it refuses. While the decision is made nothing more is
/// read; a connection that isn't through in time, ends half way, or is there at shutdown, is cut.
///
/// ```
/// encoder, decoder, guard, gate ──http───▶ encoder, decoder, guard, Hummingbird's handlers
///                               ──accept─▶ what `install` adds, and nothing else
/// ```
final class UpgradeGate: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// Decides about a request to `/ws` or below, on the connection's event loop; the answer may come from anywhere.
    typealias Decide = @Sendable (HTTPRequestHead, any Channel) -> EventLoopFuture<UpgradeDecision>

    /// The handlers that a WebSocket has no use for.
    struct Neighbours {
        let encoder: HTTPResponseEncoder
        let decoder: ByteToMessageHandler<HTTPRequestDecoder>
        let requestGuard: RequestGuard
    }

    private typealias Acceptance = (headers: HTTPHeaders, install: @Sendable (any Channel) throws -> Void)

    private enum State {
        case waiting
        /// All parts of the request so far, and the acceptance if it came before the last of them.
        case deciding([HTTPServerRequestPart], Acceptance?)
        case done
    }

    private let neighbours: Neighbours
    private let deadline: NIODeadline
    private let origins: OriginPolicy
    private let logger: Logger
    private let decide: Decide
    private let addHTTP: (any Channel) throws -> Void

    private var state = State.waiting
    private var timer: Scheduled<Void>?
    private var holdsRead = false

    /// - Parameters:
    ///   - neighbours: The handlers before it.
    ///   - deadline: When a connection is cut that hasn't become anything.
    ///   - addHTTP: Adds the handlers of HTTP's routes behind it.
    init(
        neighbours: Neighbours,
        deadline: NIODeadline,
        origins: OriginPolicy,
        logger: Logger,
        decide: @escaping Decide,
        addHTTP: @escaping (any Channel) throws -> Void
    ) {
        self.neighbours = neighbours
        self.deadline = deadline
        self.origins = origins
        self.logger = logger
        self.decide = decide
        self.addHTTP = addHTTP
    }

    func handlerAdded(context: ChannelHandlerContext) {
        timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { context.close(promise: nil) }
    }

    func handlerRemoved(context: ChannelHandlerContext) { finish() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = Self.unwrapInboundIn(data)
        switch (state, part) {
        case (.waiting, .head(let head)) where head.asksForSocket:
            state = .deciding([part], nil)
            startDecision(head, context: context)
        case (.waiting, _):
            enterHTTP([part], context: context)
        case (.deciding, .body):
            // A handshake has no body (RFC 6455 §4.1), and we would have to keep it meanwhile.
            refuse(HTTPFailure(.badRequest, "a WebSocket handshake has no body"), context: context)
        case (.deciding(let parts, let acceptance), _):
            state = .deciding(parts + [part], acceptance)
            if let acceptance { enterSocket(acceptance, context: context) }
        case (.done, _):
            break
        }
    }

    func read(context: ChannelHandlerContext) {
        // With the whole request here, what else may come would only pile up in the decoder.
        if case .deciding(let parts, _) = state, case .end = parts.last {
            holdsRead = true
        } else {
            context.read()
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent || (event as? ChannelEvent) == .inputClosed {
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if case .deciding = state, error is BodyTooLarge {
            refuse(HTTPFailure(translating: error), context: context)
        } else {
            context.close(promise: nil)
        }
    }

    private func startDecision(_ head: HTTPRequestHead, context: ChannelHandlerContext) {
        guard head.isOnSocketPath else {
            refuse(HTTPFailure(.notFound, "not found"), context: context)
            return
        }
        guard origins.allows(head.headers.first(name: "origin")) else {
            refuse(HTTPFailure(.forbidden, "origin not allowed"), context: context)
            return
        }
        decide(head, context.channel).hop(to: context.eventLoop).assumeIsolated().whenComplete { [self] result in
            guard case .deciding(let parts, nil) = state else { return }
            switch result {
            case .success(.http): enterHTTP(parts, context: context)
            case .success(.refuse(let status, let headers, let body)):
                refuse(status, headers, body, context: context)
            case .success(.accept(let headers, let install)):
                state = .deciding(parts, (headers, install))
                if case .end = parts.last { enterSocket((headers, install), context: context) }
            case .failure(let error):
                logger.error("upgrade failed", metadata: ["error": "\(error)"])
                refuse(HTTPFailure(.internalServerError, "internal error"), context: context)
            }
        }
    }

    private func refuse(_ failure: HTTPFailure, context: ChannelHandlerContext) {
        let (head, body) = failure.parts(headers: [])
        refuse(head.status, head.headers, body, context: context)
    }

    /// Writes the response; the guard sees `Connection: close` in it and does the rest.
    private func refuse(
        _ status: HTTPResponseStatus,
        _ headers: HTTPHeaders,
        _ body: ByteBuffer,
        context: ChannelHandlerContext
    ) {
        guard case .deciding(let parts, _) = state, case .head(let request) = parts.first else { return }
        finish()
        var head = HTTPResponseHead(version: .http1_1, status: status, headers: headers)
        for header in origins.headers(for: request.headers.first(name: "origin")) {
            head.headers.replaceOrAdd(name: header.name, value: header.value)
        }
        head.headers.replaceOrAdd(name: "Content-Length", value: String(body.readableBytes))
        head.headers.replaceOrAdd(name: "Connection", value: "close")
        context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
        context.write(Self.wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
        resumeReading(context.channel)
    }

    private func enterHTTP(_ parts: [HTTPServerRequestPart], context: ChannelHandlerContext) {
        finish()
        let channel = context.channel
        do {
            try addHTTP(channel)
        } catch {
            context.close(promise: nil)
            return
        }
        for part in parts { context.fireChannelRead(Self.wrapInboundOut(part)) }
        context.fireChannelReadComplete()
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
        resumeReading(channel)
    }

    /// Writes the 101, takes HTTP out of the pipeline and lets the WebSocket in.
    ///
    /// The order matters: the encoder must be gone before a new handler writes its first frame, and the decoder goes
    /// last because it then hands what it read past the handshake to its successor.
    private func enterSocket(_ acceptance: Acceptance, context: ChannelHandlerContext) {
        finish()
        let channel = context.channel
        let pipeline = context.pipeline.syncOperations
        let head = HTTPResponseHead(version: .http1_1, status: .switchingProtocols, headers: acceptance.headers)
        // What the WebSocket has to say at once goes out with it.
        context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
        pipeline.removeHandler(neighbours.encoder, promise: nil)
        pipeline.removeHandler(neighbours.requestGuard, promise: nil)
        pipeline.removeHandler(context: context, promise: nil)
        let installation = Result { try acceptance.install(channel) }
        channel.flush()
        if case .failure(let error) = installation {
            logger.error("no WebSocket after its handshake", metadata: ["error": "\(error)"])
            channel.close(promise: nil)
        }
        pipeline.removeHandler(neighbours.decoder).assumeIsolated().whenComplete { [self] _ in resumeReading(channel) }
    }

    private func finish() {
        state = .done
        timer?.cancel()
        timer = nil
    }

    private func resumeReading(_ channel: any Channel) {
        guard holdsRead else { return }
        holdsRead = false
        channel.read()
    }
}

@available(*, unavailable)
extension UpgradeGate: Sendable {}
