import NIOCore

/// What a benchmark tells the handler of a socket.
enum BenchSignal: Sendable { case wake, close }

/// What a benchmark waits for.
struct BenchPromises<Client: BenchClient>: Sendable {
    var opened: EventLoopPromise<Void>
    var done: EventLoopPromise<Void>
    var ended: EventLoopPromise<Client>

    func fail(_ failure: BenchFailure) {
        opened.fail(failure)
        done.fail(failure)
        ended.fail(failure)
    }
}

/// The client's side of the protocol: the handshake, then frames in and out.
final class BenchSocketHandler<Client: BenchClient>: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var client: Client
    private let name: String
    private let request: String
    private let promises: BenchPromises<Client>
    private var output = ByteBuffer()
    /// The beginning of the handshake's answer, or of a frame, of which the rest hasn't come yet.
    private var partial: [UInt8] = []
    /// A message that comes in fragments, so far; nil if none does.
    private var message: [UInt8]?
    private var timer: Scheduled<Void>?
    private var isOpen = false
    private var isDone = false
    private var hasEnded = false

    init(_ client: Client, name: String, request: String, promises: BenchPromises<Client>) {
        self.client = client
        self.name = name
        self.request = request
        self.promises = promises
    }

    /// Longer than a server takes that is alive.
    private static var patience: TimeAmount { .seconds(30) }

    func channelActive(context: ChannelHandlerContext) {
        output.writeString(request)
        flush(context)
        expect("the upgrade was not answered", context) { $0.isOpen }
    }

    /// Fails if `isMet` doesn't hold in time: a benchmark that waits for ever tells nobody why.
    private func expect(
        _ complaint: String,
        _ context: ChannelHandlerContext,
        _ isMet: @escaping (BenchSocketHandler) -> Bool
    ) {
        context.eventLoop.assumeIsolated().scheduleTask(in: Self.patience) { [weak self] in
            guard let self, !isMet(self) else { return }
            fail(BenchFailure("\(complaint) in 30 seconds"), context)
        }
    }

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        switch event as? BenchSignal {
        case .wake: wake(context)
        case .close:
            BenchFrame.append(.close, [0x03, 0xE8], to: &output)
            expect("the good-bye was not answered", context) { $0.hasEnded }
        case nil: context.triggerUserOutboundEvent(event, promise: promise)
        }
        flush(context)
    }

    private func wake(_ context: ChannelHandlerContext) {
        client.wake(&output)
        guard let next = client.nextWake else { return }
        let (loop, bound) = (context.eventLoop.assumeIsolated(), context)
        timer = loop.scheduleTask(deadline: next) { [self] in
            guard !hasEnded else { return }
            wake(bound)
            flush(bound)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let incoming = unwrapInboundIn(data)
        do {
            let bytes = incoming.readableBytesUInt8Span
            var position = 0
            if !isOpen { position = try readHandshake(bytes) }
            if isOpen {
                if !partial.isEmpty { try completePartial(bytes, &position, context) }
                while try readFrame(bytes, &position, context) {}
                if position < bytes.count { partial = [UInt8](copying: bytes.extracting(position...)) }
            }
            client.endRead()
        } catch {
            fail(error, context)
        }
        flush(context)
        if client.isDone, !isDone {
            isDone = true
            promises.done.succeed()
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(BenchFailure("the server has closed the connection"), context)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { fail(error, context) }

    /// - Returns: Where the frames begin in `bytes`.
    private func readHandshake(_ bytes: borrowing Span<UInt8>) throws -> Int {
        let before = partial.count
        partial += [UInt8](copying: bytes)
        guard let end = partial.firstRange(of: [13, 10, 13, 10]) else { return bytes.count }
        guard partial.starts(with: "HTTP/1.1 101 ".utf8) else {
            throw BenchFailure("the server refused: \(String(decoding: partial.prefix(500), as: UTF8.self))")
        }
        partial = []
        isOpen = true
        promises.opened.succeed()
        return end.upperBound - before
    }

    /// Adds to the frame that began in an earlier read what is missing, and hands it over if that is all there.
    ///
    /// So only frames that two reads share are copied.
    private func completePartial(
        _ bytes: borrowing Span<UInt8>,
        _ position: inout Int,
        _ context: ChannelHandlerContext
    ) throws {
        var frame = partial
        partial = []
        while true {
            let header = try BenchFrame.header(in: frame.span)
            let missing = header.map { $0.frameBytes - frame.count } ?? 1
            if let header, missing == 0 {
                return try handle(header, frame.span.extracting(header.headerBytes..<frame.count), context)
            }
            let end = min(bytes.count, position + missing)
            guard end > position else { break }
            frame += [UInt8](copying: bytes.extracting(position..<end))
            position = end
        }
        partial = frame
    }

    /// - Returns: Whether there was one that is all there.
    private func readFrame(
        _ bytes: borrowing Span<UInt8>,
        _ position: inout Int,
        _ context: ChannelHandlerContext
    ) throws -> Bool {
        guard !hasEnded, let header = try BenchFrame.header(in: bytes, at: position),
            bytes.count - position >= header.frameBytes
        else { return false }
        let end = position + header.frameBytes
        try handle(header, bytes.extracting(position + header.headerBytes..<end), context)
        position = end
        return true
    }

    private func handle(
        _ header: BenchFrame.Header,
        _ payload: borrowing Span<UInt8>,
        _ context: ChannelHandlerContext
    ) throws {
        switch header.opcode {
        case .text where header.isLast: try client.receive(payload, &output)
        case .text: message = [UInt8](copying: payload)
        case .continuation:
            guard var whole = message.take() else { throw BenchFailure("the server continued what it hadn't begun") }
            whole += [UInt8](copying: payload)
            if header.isLast { try client.receive(whole.span, &output) } else { message = whole }
        case .ping: BenchFrame.append(.pong, [UInt8](copying: payload), to: &output)
        case .pong: client.receivePong([UInt8](copying: payload))
        case .close: end(context, ByteBuffer(bytes: [UInt8](copying: payload)))
        }
    }

    private func flush(_ context: ChannelHandlerContext) {
        guard output.readableBytes > 0 else { return }
        context.writeAndFlush(wrapOutboundOut(output), promise: nil)
        output = ByteBuffer()
    }

    private func end(_ context: ChannelHandlerContext, _ closing: ByteBuffer) {
        guard client.isDone else {
            var closing = closing
            let code = closing.readInteger(as: UInt16.self).map { " with \($0)" } ?? ""
            let reason = closing.readableBytes > 0 ? ": " + String(buffer: closing) : ""
            return fail(BenchFailure("the server has closed the socket\(code)\(reason)"), context)
        }
        guard !hasEnded else { return }
        hasEnded = true
        timer?.cancel()
        promises.done.succeed()
        promises.ended.succeed(client)
        context.close(promise: nil)
    }

    private func fail(_ error: any Error, _ context: ChannelHandlerContext) {
        guard !hasEnded else { return }
        hasEnded = true
        timer?.cancel()
        promises.fail(BenchFailure("\(name): \(error)"))
        context.close(promise: nil)
    }
}
