import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import ServiceLifecycle

@testable import Server

/// A whole HTTP front on a free port of the loopback, with a few routes and stand-ins for sockets.
struct FrontServer {
    let port: Int
    private let group: ServiceGroup

    /// Lets the server close what it has and end.
    func shutDown() async {
        await group.triggerGracefulShutdown()
    }

    /// Generous limits: a test narrows the one that it is about.
    static let limits = FrontLimits(
        headBytes: 16_384,
        bodyBytes: 1_000,
        handshakeTime: .seconds(30),
        requestTime: .seconds(30),
        idleTime: .seconds(30)
    )

    static let anyOrigin = OriginPolicy(allowedOrigins: ["*"], needsToken: true)

    /// Runs `body` against a server, which has ended when this returns.
    static func run(
        limits: FrontLimits = limits,
        origins: OriginPolicy = anyOrigin,
        admits: @escaping @Sendable (any Channel) -> Bool = { _ in true },
        decide: @escaping UpgradeGate.Decide = acceptAll,
        body: @Sendable (FrontServer) async throws -> Void
    ) async throws {
        let configuration = FrontChannel.Configuration(
            limits: limits,
            origins: origins,
            admits: admits,
            decide: decide
        )
        let (ports, continuation) = AsyncStream.makeStream(of: Int.self)
        let listener = FrontListener(
            front: FrontChannel(
                responder: HTTPFront.make(origins: origins, addRoutes: addRoutes).responder(logger: quiet),
                configuration: configuration,
                logger: quiet
            ),
            address: "127.0.0.1",
            port: 0,
            group: .singleton
        ) { channel in continuation.yield(channel.localAddress?.port ?? 0) }
        let group = ServiceGroup(configuration: .init(services: [listener], logger: quiet))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                defer { continuation.finish() }
                try await group.run()
            }
            for await port in ports {
                do {
                    try await body(FrontServer(port: port, group: group))
                } catch {
                    tasks.cancelAll()
                    throw error
                }
                break
            }
            // Not gracefully: that would wait for connections that a test has left open.
            tasks.cancelAll()
            while let result = await tasks.nextResult() {
                if case .failure(let error) = result, !(error is CancellationError) { throw error }
            }
        }
    }

    private static var quiet: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }

    static func addRoutes(_ router: Router<FrontContext>) {
        router.get("/ping") { _, _ in "pong" }
        router.post("/echo") { request, _ in
            try await Response(status: .ok, body: .init(byteBuffer: request.body.collect(upTo: 1 << 20)))
        }
        router.get("/deaf") { _, _ in "did not listen" }
        router.get("/peer") { _, context in context.peer?.ipAddress ?? "" }
        router.get("/large") { _, _ in String(repeating: "x", count: 32 << 20) }
        router.get("/rooms/:id") { _, _ -> String in throw HTTPFailure(.notFound, "no such room") }
        router.put("/rooms/:id/members/:account") { _, _ in HTTPResponse.Status.noContent }
        router.get("/broken") { _, _ -> String in throw Broken(secret: "the password is 1234") }
        router.get("/busy") { _, _ -> String in
            throw HTTPFailure(.tooManyRequests, "too many tries", retryAfterSeconds: 7)
        }
        router.get("/refused") { _, _ -> String in
            throw HTTPFailure(.unauthorized, "Unauthorized", shape: .message(code: 400))
        }
    }

    struct Broken: Error {
        let secret: String
    }

    /// 101, and an ``EchoHandler``.
    static let acceptAll: UpgradeGate.Decide = { _, channel in channel.eventLoop.makeSucceededFuture(acceptance) }

    static let acceptance = UpgradeDecision.accept(
        ["Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Accept": "as computed"],
        install: { channel in try channel.pipeline.syncOperations.addHandler(EchoHandler()) }
    )

    /// A browser's handshake.
    static func handshake(_ path: String = "/ws", headers: [String] = []) -> String {
        let lines =
            [
                "GET \(path) HTTP/1.1", "Host: localhost", "Upgrade: websocket", "Connection: keep-alive, Upgrade",
                "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            ] + headers
        return lines.joined(separator: "\r\n") + "\r\n\r\n"
    }
}

/// Stands in for a WebSocket: greets when it is installed, then sends back every byte in brackets; `?` is answered with
/// what the pipeline consists of.
final class EchoHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    func handlerAdded(context: ChannelHandlerContext) {
        context.writeAndFlush(Self.wrapOutboundOut(ByteBuffer(string: "greeting;")), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let text = String(buffer: Self.unwrapInboundIn(data))
        let reply = text.map { $0 == "?" ? context.pipeline.debugDescription : "[\($0)]" }.joined()
        context.writeAndFlush(Self.wrapOutboundOut(ByteBuffer(string: reply)), promise: nil)
    }
}
