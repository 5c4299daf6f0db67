import NIOCore

/// The socket's end of a ``Session``: takes frames out of what comes in, and passes on what the channel tells.
final class SessionHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let session: Session
    private let lifetime: TimeAmount?
    private var decoder: FrameDecoder
    private var unread: ByteBuffer?
    private var isReading = true
    private var hasStarted = false

    /// - Parameters:
    ///   - maximumFrameBytes: The most bytes of a frame and of a message.
    ///   - lifetime: How long the caller's token still holds.
    init(session: Session, maximumFrameBytes: Int, lifetime: TimeAmount?) {
        self.session = session
        self.lifetime = lifetime
        decoder = FrameDecoder(maximumFrameBytes: maximumFrameBytes, maximumMessageBytes: maximumFrameBytes)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        guard !hasStarted else { return }
        hasStarted = true
        session.start(context, expiresIn: lifetime)
    }

    func handlerRemoved(context: ChannelHandlerContext) { session.end() }

    func channelInactive(context: ChannelHandlerContext) {
        session.end()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = Self.unwrapInboundIn(data)
        if var before = unread {
            before.writeBuffer(&bytes)
            unread = before
        } else {
            unread = bytes
        }
        session.heard()
        decode(context)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            session.becameWritable()
            resume(context)
        }
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        // The drain closes sockets by its own schedule.
        case is ChannelShouldQuiesceEvent: break
        case ChannelEvent.inputClosed: context.close(promise: nil)
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    /// Whether the client may be read from: not while as many of its requests wait as are allowed.
    private func resume(_ context: ChannelHandlerContext) {
        guard !isReading, !session.isSaturated else { return }
        isReading = true
        context.channel.setOption(.autoRead, value: true).whenFailure { _ in }
        decode(context)
    }

    private func decode(_ context: ChannelHandlerContext) {
        guard var bytes = unread else { return }
        unread = nil
        let session = session
        do {
            let outcome = try decoder.decode(&bytes, scratch: &session.dispatcher.scratch) {
                (frame, payload) throws(ProtocolViolation) in
                switch frame {
                case .text, .binary:
                    session.receive(payload, isUTF8: frame == .text)
                    return session.isSaturated ? .stop : .goOn
                case .ping:
                    session.pong(payload)
                case .pong: break
                case .close(let code):
                    if !session.isClosing { session.write(.closeFrame(code: code)) }
                    context.close(promise: nil)
                }
                return .goOn
            }
            if bytes.readableBytes > 0 { unread = bytes }
            session.pump()
            if outcome == .stopped { pause(context) }
        } catch {
            session.pump()
            session.close(code: error.closeCode, reason: error.reason)
            // Nothing more is read of this client. The end of our stream tells it so, where a full close would answer
            // what it still sends with a reset, and that could overtake the close frame.
            context.close(mode: .output, promise: nil)
        }
    }

    private func pause(_ context: ChannelHandlerContext) {
        guard session.isSaturated else { return decode(context) }
        isReading = false
        session.whenUnsaturated = { [weak self] in self?.resume(context) }
        context.channel.setOption(.autoRead, value: false).whenFailure { _ in }
    }
}

@available(*, unavailable)
extension SessionHandler: Sendable {}
