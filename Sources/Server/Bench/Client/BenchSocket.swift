import NIOCore
import NIOPosix

/// A WebSocket of a benchmark's client, opened.
struct BenchSocket<Client: BenchClient>: Sendable {
    private let channel: any Channel
    /// Succeeds when the client is done.
    let done: EventLoopFuture<Void>
    /// The client as it was when the server had said good-bye.
    let ended: EventLoopFuture<Client>

    /// Opens one.
    ///
    /// - Throws: ``BenchFailure``.
    static func open(
        _ opening: BenchOpening<Client>,
        at address: BenchAddress,
        group: any EventLoopGroup
    ) async throws -> BenchSocket {
        let loop = group.next()
        let name = opening.name
        let promises = BenchPromises<Client>(
            opened: loop.makePromise(),
            done: loop.makePromise(),
            ended: loop.makePromise()
        )
        let request =
            "GET \(opening.path) HTTP/1.1\r\nHost: \(address)\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        var client = opening.client
        client.begin()
        let begun = client
        var bootstrap = ClientBootstrap(group: loop)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            // One large read instead of many small ones, and none more to hear that there is nothing left.
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 1 << 17))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let handler = BenchSocketHandler(begun, name: name, request: request, promises: promises)
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
        if let receiveBufferBytes = opening.receiveBufferBytes {
            bootstrap = bootstrap.channelOption(.socketOption(.so_rcvbuf), value: .init(receiveBufferBytes))
        }
        let channel: any Channel
        do {
            channel = try await bootstrap.connect(host: address.host, port: address.port).get()
        } catch {
            promises.fail(BenchFailure("\(name) can't connect: \(error)"))
            throw BenchFailure("\(name) can't connect: \(error)")
        }
        try await promises.opened.futureResult.get()
        return BenchSocket(channel: channel, done: promises.done.futureResult, ended: promises.ended.futureResult)
    }

    /// Tells the client that it is time to send.
    func wake() { channel.triggerUserOutboundEvent(BenchSignal.wake, promise: nil) }

    /// Sends `bytes` as they are.
    func send(_ bytes: ByteBuffer) { channel.writeAndFlush(bytes, promise: nil) }

    /// Stops to read, from the kernel on: what comes stays there.
    func pause() async throws { try await channel.setOption(.autoRead, value: false).get() }

    /// Reads on.
    func goOn() { channel.setOption(.autoRead, value: true).whenFailure { _ in } }

    /// Says good-bye; ``ended`` comes after what was still on its way.
    func close() { channel.triggerUserOutboundEvent(BenchSignal.close, promise: nil) }

    /// Ends without good-bye.
    func cut() { channel.close(promise: nil) }
}

/// A socket to be opened.
struct BenchOpening<Client: BenchClient>: Sendable {
    var client: Client
    /// For errors.
    var name: String
    var path: String
    /// What the kernel holds for a client that doesn't read (`SO_RCVBUF`); nil: what the kernel finds good.
    var receiveBufferBytes: Int?
}

extension BenchSocket {
    /// Opens all of `openings`, `atOnce` at a time, and returns them in that order.
    ///
    /// - Throws: ``BenchFailure`` if one can't be opened.
    static func open(
        _ openings: [BenchOpening<Client>],
        at address: BenchAddress,
        group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        atOnce: Int = 64
    ) async throws -> [BenchSocket] {
        try await withThrowingTaskGroup(of: (Int, BenchSocket).self) { tasks in
            var sockets = [BenchSocket?](repeating: nil, count: openings.count)
            for (index, opening) in openings.enumerated() {
                if index >= atOnce, let (other, socket) = try await tasks.next() { sockets[other] = socket }
                tasks.addTask {
                    (index, try await open(opening, at: address, group: group))
                }
            }
            for try await (index, socket) in tasks { sockets[index] = socket }
            return sockets.compactMap { $0 }
        }
    }
}
