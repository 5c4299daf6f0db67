import NIOCore
import NIOPosix

/// What a benchmark's client does with what it receives: a value, confined to its socket's event loop.
protocol BenchClient: Sendable {
    /// Whether it has sent and received all that it should.
    var isDone: Bool { get }
    /// The benchmark begins. What is appended to `output` is sent.
    mutating func start(_ output: inout ByteBuffer)
    /// A text of `count` bytes at `index` has come. What is appended to `output` is sent with one write for each read.
    mutating func receive(_ buffer: ByteBuffer, at index: Int, count: Int, _ output: inout ByteBuffer) throws
}

/// A WebSocket of a benchmark's client, opened.
struct BenchSocket<Client: BenchClient>: Sendable {
    fileprivate let channel: any Channel
    /// Succeeds when the client is done.
    let done: EventLoopFuture<Void>
    /// The client as it was when the server had said good-bye.
    let ended: EventLoopFuture<Client>

    /// Opens `path` on 127.0.0.1; errors tell the `name`.
    ///
    /// - Throws: ``BenchFailure``.
    static func open(
        _ client: Client,
        name: String,
        path: String,
        port: Int,
        group: any EventLoopGroup
    ) async throws -> BenchSocket {
        let loop = group.next()
        let opened = loop.makePromise(of: Void.self)
        let done = loop.makePromise(of: Void.self)
        let ended = loop.makePromise(of: Client.self)
        let channel: any Channel
        do {
            channel = try await ClientBootstrap(group: loop)
                .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                // One large read instead of many small ones.
                .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 1 << 17))
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let handler = BenchSocketHandler(
                            client,
                            name: name,
                            request: "GET \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nUpgrade: websocket\r\n"
                                + "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                            promises: (opened, done, ended)
                        )
                        try channel.pipeline.syncOperations.addHandler(handler)
                    }
                }
                .connect(host: "127.0.0.1", port: port).get()
        } catch {
            opened.fail(error)
            done.fail(error)
            ended.fail(error)
            throw BenchFailure("\(name) can't connect: \(error)")
        }
        try await opened.futureResult.get()
        return BenchSocket(channel: channel, done: done.futureResult, ended: ended.futureResult)
    }

    func start() { channel.triggerUserOutboundEvent(BenchSignal.start, promise: nil) }

    /// Says good-bye; ``ended`` comes after what was still on its way.
    func close() { channel.triggerUserOutboundEvent(BenchSignal.close, promise: nil) }

    /// Ends without good-bye.
    func cut() { channel.close(promise: nil) }
}

private enum BenchSignal: Sendable { case start, close }

private final class BenchSocketHandler<Client: BenchClient>: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = Never
    typealias OutboundOut = ByteBuffer
    typealias Promises = (opened: EventLoopPromise<Void>, done: EventLoopPromise<Void>, ended: EventLoopPromise<Client>)

    private var client: Client
    private let name: String
    private let request: String
    private let promises: Promises
    private var pending = ByteBuffer()
    private var output = ByteBuffer()
    private var isOpen = false
    private var isDone = false
    private var hasEnded = false

    init(_ client: Client, name: String, request: String, promises: Promises) {
        self.client = client
        self.name = name
        self.request = request
        self.promises = promises
    }

    func channelActive(context: ChannelHandlerContext) {
        output.writeString(request)
        flush(context)
    }

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        switch event as? BenchSignal {
        case .start: client.start(&output)
        case .close: BenchFrame.append(.close, [0x03, 0xE8], to: &output)
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
        case .pong: break
        case .close: end(context)
        }
        pending.moveReaderIndex(forwardBy: header.headerBytes + header.payloadBytes)
        return !hasEnded
    }

    private func flush(_ context: ChannelHandlerContext) {
        guard output.readableBytes > 0 else { return }
        context.writeAndFlush(wrapOutboundOut(output), promise: nil)
        output = ByteBuffer()
    }

    private func end(_ context: ChannelHandlerContext) {
        guard client.isDone else { return fail(BenchFailure("the server has closed the socket"), context) }
        guard !hasEnded else { return }
        hasEnded = true
        promises.done.succeed()
        promises.ended.succeed(client)
        context.close(promise: nil)
    }

    private func fail(_ error: any Error, _ context: ChannelHandlerContext) {
        guard !hasEnded else { return }
        hasEnded = true
        let failure = BenchFailure("\(name): \(error)")
        promises.opened.fail(failure)
        promises.done.fail(failure)
        promises.ended.fail(failure)
        context.close(promise: nil)
    }
}
