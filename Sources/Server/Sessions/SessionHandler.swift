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
    private var isDecoding = false
    private static let pongBytes = 4096
    private var hasReadMore = false

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
            session.becomesWritable { [weak self] in self?.resume(context) }
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
        // A write that fails reads what is left before it returns: that waits for its turn in `unread`.
        guard !isDecoding else { return }
        isDecoding = true
        defer { isDecoding = false }
        while decodeOnce(context) {}
    }

    /// Takes in the frames that are there.
    ///
    /// - Returns: Whether more has come meanwhile.
    private func decodeOnce(_ context: ChannelHandlerContext) -> Bool {
        guard isReading, var bytes = unread else { return false }
        unread = nil
        let session = session
        // Nothing is written while the decoder is at work.
        var pongs = ByteBuffer()
        var close: (hasCome: Bool, code: UInt16?) = (false, nil)
        do {
            let outcome = try decoder.decode(&bytes, scratch: &session.dispatcher.scratch) {
                (frame, payload) throws(ProtocolViolation) in
                switch frame {
                case .text, .binary:
                    session.receive(payload, isUTF8: frame == .text)
                    return session.isSaturated ? .stop : .goOn
                case .ping:
                    // Of a great many that come at once the last is enough (RFC 6455, 5.5.3).
                    if pongs.readableBytes > Self.pongBytes { pongs.clear() }
                    pongs.writeFrame(.pong, payload: payload)
                case .pong: break
                case .close(let code):
                    close = (true, code)
                    return .stop
                }
                return .goOn
            }
            session.writePongs(pongs)
            session.pump()
            if close.hasCome {
                if !session.isClosing { session.write(.closeFrame(code: close.code)) }
                context.close(promise: nil)
                return false
            }
            keep(bytes)
            if outcome == .stopped { pause(context) }
            return outcome == .stopped || hasReadMore
        } catch {
            session.writePongs(pongs)
            session.pump()
            session.close(code: error.closeCode, reason: error.reason)
            // Nothing more is read of this client. The end of our stream tells it so, where a full close would answer
            // what it still sends with a reset, and that could overtake the close frame.
            context.close(mode: .output, promise: nil)
            return false
        }
    }

    /// Puts what is left of `bytes` before what has come meanwhile.
    private func keep(_ bytes: ByteBuffer) {
        hasReadMore = unread != nil
        guard bytes.readableBytes > 0 else { return }
        guard var later = unread else { return unread = bytes }
        var all = bytes
        all.writeBuffer(&later)
        unread = all
    }

    private func pause(_ context: ChannelHandlerContext) {
        guard session.isSaturated else { return }
        isReading = false
        session.whenUnsaturated = { [weak self] in self?.resume(context) }
        context.channel.setOption(.autoRead, value: false).whenFailure { _ in }
    }
}

@available(*, unavailable)
extension SessionHandler: Sendable {}
