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
    private var pending = ByteBuffer()
    private var output = ByteBuffer()
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
        case .wake: client.wake(&output)
        case .close:
            BenchFrame.append(.close, [0x03, 0xE8], to: &output)
            expect("the good-bye was not answered", context) { $0.hasEnded }
        case nil: context.triggerUserOutboundEvent(event, promise: promise)
        }
        flush(context)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var incoming = unwrapInboundIn(data)
        if pending.readableBytes == 0 { pending = incoming } else { pending.writeBuffer(&incoming) }
        do {
            if !isOpen { try readHandshake() }
            if isOpen { while try readFrame(context) {} }
        } catch {
            fail(error, context)
        }
        if pending.readableBytes == 0 { pending = ByteBuffer() } else { pending.discardReadBytes() }
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

    private func readHandshake() throws {
        let view = pending.readableBytesView
        guard let end = view.firstRange(of: [13, 10, 13, 10]) else { return }
        let head = String(decoding: view[..<end.lowerBound], as: UTF8.self)
        guard head.hasPrefix("HTTP/1.1 101 ") else {
            throw BenchFailure("the server refused: \(String(decoding: view.prefix(500), as: UTF8.self))")
        }
        pending.moveReaderIndex(to: end.upperBound)
        isOpen = true
        promises.opened.succeed()
    }

    private func readFrame(_ context: ChannelHandlerContext) throws -> Bool {
        guard let header = try BenchFrame.header(in: pending),
            pending.readableBytes >= header.headerBytes + header.payloadBytes
        else { return false }
        let payload = pending.readerIndex + header.headerBytes
        switch header.opcode {
        case .text: try client.receive(pending, at: payload, count: header.payloadBytes, &output)
        case .ping:
            let bytes = pending.getBytes(at: payload, length: header.payloadBytes) ?? []
            BenchFrame.append(.pong, bytes, to: &output)
        case .pong: client.receivePong(pending.getBytes(at: payload, length: header.payloadBytes) ?? [])
        case .close: end(context, pending.getSlice(at: payload, length: header.payloadBytes) ?? ByteBuffer())
        }
        pending.moveReaderIndex(forwardBy: header.headerBytes + header.payloadBytes)
        return !hasEnded
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
        promises.done.succeed()
        promises.ended.succeed(client)
        context.close(promise: nil)
    }

    private func fail(_ error: any Error, _ context: ChannelHandlerContext) {
        guard !hasEnded else { return }
        hasEnded = true
        promises.fail(BenchFailure("\(name): \(error)"))
        context.close(promise: nil)
    }
}
