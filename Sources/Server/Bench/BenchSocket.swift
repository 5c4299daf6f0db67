import NIOCore
import NIOPosix

/// What a benchmark's client does with what it receives: a value, confined to its socket's event loop.
protocol BenchClient: Sendable {
    /// Whether it has sent and received all that it should.
    var isDone: Bool { get }
    /// Its connection is about to be opened.
    mutating func begin()
    /// It is time to send something: the benchmark begins, or its clock has come to the next message. What is appended
    /// to `output` is sent.
    mutating func wake(_ output: inout ByteBuffer)
    /// A text of `count` bytes at `index` has come. What is appended to `output` is sent with one write for each read.
    mutating func receive(_ buffer: ByteBuffer, at index: Int, count: Int, _ output: inout ByteBuffer) throws
    /// The answer to a ping has come.
    mutating func receivePong(_ payload: [UInt8])
}

extension BenchClient {
    mutating func begin() {}
    mutating func receivePong(_ payload: [UInt8]) {}
}

/// A WebSocket of a benchmark's client, opened.
struct BenchSocket<Client: BenchClient>: Sendable {
    private let channel: any Channel
    /// Succeeds when the client is done.
    let done: EventLoopFuture<Void>
    /// The client as it was when the server had said good-bye.
    let ended: EventLoopFuture<Client>

    /// Opens `path` on 127.0.0.1; errors tell the `name`.
    ///
    /// - Parameter receiveBufferBytes: What the kernel holds for a client that doesn't read (`SO_RCVBUF`); nil: what
    ///   the kernel finds good.
    /// - Throws: ``BenchFailure``.
    static func open(
        _ client: Client,
        name: String,
        path: String,
        port: Int,
        group: any EventLoopGroup,
        receiveBufferBytes: Int? = nil
    ) async throws -> BenchSocket {
        let loop = group.next()
        let promises = BenchPromises<Client>(
            opened: loop.makePromise(),
            done: loop.makePromise(),
            ended: loop.makePromise()
        )
        let request =
            "GET \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        var client = client
        client.begin()
        let begun = client
        var bootstrap = ClientBootstrap(group: loop)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            // One large read instead of many small ones.
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 1 << 17))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let handler = BenchSocketHandler(begun, name: name, request: request, promises: promises)
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
        if let receiveBufferBytes {
            bootstrap = bootstrap.channelOption(.socketOption(.so_rcvbuf), value: .init(receiveBufferBytes))
        }
        let channel: any Channel
        do {
            channel = try await bootstrap.connect(host: "127.0.0.1", port: port).get()
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
    var name: String
    var path: String
    var receiveBufferBytes: Int?
}

extension BenchSocket {
    private static var connectionsAtOnce: Int { 64 }

    /// Opens all of `openings`, some at a time, and returns them in that order.
    ///
    /// - Throws: ``BenchFailure`` if one can't be opened.
    static func open(
        _ openings: [BenchOpening<Client>],
        port: Int,
        group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) async throws -> [BenchSocket] {
        try await withThrowingTaskGroup(of: (Int, BenchSocket).self) { tasks in
            var sockets = [BenchSocket?](repeating: nil, count: openings.count)
            for (index, opening) in openings.enumerated() {
                if index >= connectionsAtOnce, let (other, socket) = try await tasks.next() { sockets[other] = socket }
                tasks.addTask {
                    let socket = try await open(
                        opening.client,
                        name: opening.name,
                        path: opening.path,
                        port: port,
                        group: group,
                        receiveBufferBytes: opening.receiveBufferBytes
                    )
                    return (index, socket)
                }
            }
            for try await (index, socket) in tasks { sockets[index] = socket }
            return sockets.compactMap { $0 }
        }
    }
}
