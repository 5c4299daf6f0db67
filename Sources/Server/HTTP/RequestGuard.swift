import HTTPTypes
import NIOCore
import NIOHTTP1

/// Keeps one connection's HTTP within its limits, and closes it when a response was the last: stands right behind the
/// decoder while the connection speaks HTTP.
///
/// - A head too large is answered 431, one that can't be read 400, both as JSON; Hummingbird would answer with nothing.
/// - A body too large reaches its route as the error ``BodyTooLarge``; the rest of it is thrown away.
/// - A request that isn't answered in time, because its body drips or the response isn't read, costs the connection.
/// - After a request that says so, or that asks for another protocol (past which the decoder reads nothing), the
///   response carries `Connection: close`.
final class RequestGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private let limits: FrontLimits
    private let origins: OriginPolicy
    /// Requests whose head was passed on and whose response has not ended.
    private var unanswered = 0
    private var hasSeenRequest = false
    private var isInsideRequest = false
    private var bodyBytes = 0
    /// No request is read after the ones that are unanswered.
    private var isLastRequest = false
    /// The response to what came after them.
    private var finalFailure: HTTPFailure?
    private var isLingering = false
    /// Ends the wait for a response, or the lingering.
    private var timer: Scheduled<Void>?

    init(limits: FrontLimits, origins: OriginPolicy) {
        self.limits = limits
        self.origins = origins
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        timer = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isLingering else { return }
        switch Self.unwrapInboundIn(data) {
        case .head(let head): begin(head, context: context)
        case .body(let bytes): pass(bytes, context: context)
        case .end:
            guard isInsideRequest else { return }
            isInsideRequest = false
            context.fireChannelRead(data)
        }
    }

    private func begin(_ head: HTTPRequestHead, context: ChannelHandlerContext) {
        guard !isLastRequest else { return }
        if hasSeenRequest, head.asksForSocket {
            // Hummingbird has the connection by now. A proxy that reuses its connections must open one for a WebSocket.
            fail(HTTPFailure(.badRequest, "a WebSocket needs a connection of its own"), context: context)
            return
        }
        hasSeenRequest = true
        isInsideRequest = true
        unanswered += 1
        bodyBytes = 0
        if timer == nil { startTimer(limits.requestTime, context: context) }
        // In HTTP/1.0 a connection is kept only if both sides say so; we don't.
        if !head.isKeepAlive || head.version == .http1_0 || head.stopsDecoder { isLastRequest = true }
        context.fireChannelRead(Self.wrapInboundOut(.head(head)))
        if let length = head.headers.first(name: "content-length").flatMap(Int.init), length > limits.bodyBytes {
            refuseBody(context: context)
        }
    }

    private func pass(_ bytes: ByteBuffer, context: ChannelHandlerContext) {
        guard isInsideRequest else { return }
        bodyBytes += bytes.readableBytes
        guard bodyBytes <= limits.bodyBytes else {
            refuseBody(context: context)
            return
        }
        context.fireChannelRead(Self.wrapInboundOut(.body(bytes)))
    }

    private func refuseBody(context: ChannelHandlerContext) {
        isLastRequest = true
        isInsideRequest = false
        context.fireErrorCaught(BodyTooLarge())
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? HTTPParserError else {
            context.fireErrorCaught(error)
            return
        }
        guard !isLingering, !isLastRequest || isInsideRequest else { return }
        if isInsideRequest {
            // The route waits for the body: it has to hear of it, and answers.
            isLastRequest = true
            isInsideRequest = false
            context.fireErrorCaught(error)
        } else {
            fail(HTTPFailure(unreadableHead: error), context: context)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        let ends = event is ChannelShouldQuiesceEvent || (event as? ChannelEvent) == .inputClosed
        if isLingering, ends {
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch Self.unwrapOutboundIn(data) {
        case .head(var head):
            // Of several responses under way only the last is the final one; a 101 ends HTTP, not the connection.
            if head.headers[canonicalForm: "connection"].contains(where: { $0.lowercased() == "close" }) {
                isLastRequest = true
            } else if isLastRequest, unanswered == 1, finalFailure == nil, head.status != .switchingProtocols {
                head.headers.replaceOrAdd(name: "connection", value: "close")
            }
            context.write(Self.wrapOutboundOut(.head(head)), promise: promise)
        case .body: context.write(data, promise: promise)
        case .end: finishResponse(data, promise: promise, context: context)
        }
    }

    private func finishResponse(_ end: NIOAny, promise: EventLoopPromise<Void>?, context: ChannelHandlerContext) {
        unanswered -= 1
        let isFinal = unanswered == 0 && isLastRequest
        let written = promise ?? context.eventLoop.makePromise()
        written.futureResult.assumeIsolated().whenComplete { [self] _ in
            guard !isLingering else { return }
            timer?.cancel()
            timer = nil
            if unanswered > 0 { startTimer(limits.requestTime, context: context) }
        }
        context.write(end, promise: written)
        guard isFinal else { return }
        if let finalFailure { send(finalFailure, context: context) } else { linger(context: context) }
    }

    /// Answers what is no request, as soon as the requests before it have been answered.
    private func fail(_ failure: HTTPFailure, context: ChannelHandlerContext) {
        isLastRequest = true
        finalFailure = failure
        if unanswered == 0 { send(failure, context: context) }
    }

    private func send(_ failure: HTTPFailure, context: ChannelHandlerContext) {
        let (head, body) = failure.parts(headers: origins.headers(for: nil))
        context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
        context.write(Self.wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        context.write(Self.wrapOutboundOut(.end(nil)), promise: nil)
        linger(context: context)
    }

    private func linger(context: ChannelHandlerContext) {
        isLingering = true
        timer?.cancel()
        startTimer(limits.lingerTime, context: context)
        context.flush()
        context.close(mode: .output, promise: nil)
    }

    private func startTimer(_ time: TimeAmount, context: ChannelHandlerContext) {
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: time) { context.close(promise: nil) }
    }
}

@available(*, unavailable)
extension RequestGuard: Sendable {}

extension HTTPRequestHead {
    /// The path without the query.
    var path: Substring { Substring(uri.utf8.prefix { $0 != UInt8(ascii: "?") }) }

    /// Whether this begins a WebSocket, rightly or not: GET with `Upgrade: websocket`, or GET of a socket's path.
    var asksForSocket: Bool { method == .GET && (namesWebSocket || isOnSocketPath) }

    /// `/ws` and all below it.
    var isOnSocketPath: Bool { path == "/ws" || path.hasPrefix("/ws/") }

    private var namesWebSocket: Bool {
        headers[canonicalForm: "upgrade"].contains { $0.lowercased() == "websocket" }
    }

    /// Whether the decoder may take what follows for another protocol, and so reads no further.
    fileprivate var stopsDecoder: Bool { method == .CONNECT || headers.contains(name: "upgrade") }
}

extension HTTPFailure {
    fileprivate init(unreadableHead error: HTTPParserError) {
        switch error {
        case .headerOverflow: self.init(.requestHeaderFieldsTooLarge, "request head too large")
        case .invalidVersion: self.init(.httpVersionNotSupported, "only HTTP/1 is spoken here")
        default: self.init(.badRequest, "malformed request")
        }
    }

    /// The reply as NIO has it, for where Hummingbird isn't; the last on its connection.
    func parts(headers: [(name: String, value: String)]) -> (HTTPResponseHead, ByteBuffer) {
        let body = body
        var fields = HTTPHeaders(headers.map { ($0.name, $0.value) })
        fields.add(name: "Content-Type", value: Self.contentType)
        fields.add(name: "Content-Length", value: String(body.readableBytes))
        if let retryAfterSeconds { fields.add(name: "Retry-After", value: String(retryAfterSeconds)) }
        fields.add(name: "Connection", value: "close")
        let status = HTTPResponseStatus(statusCode: status.code, reasonPhrase: status.reasonPhrase)
        return (HTTPResponseHead(version: .http1_1, status: status, headers: fields), body)
    }
}
