import NIOCore
import NIOPosix

/// A TCP client that sends the bytes it is told to and keeps what comes back; every wait has a deadline.
final class RawClient: Sendable {
    private let channel: any Channel
    private let inbox: NIOLoopBound<Inbox>

    private init(channel: any Channel, inbox: NIOLoopBound<Inbox>) {
        self.channel = channel
        self.inbox = inbox
    }

    static func connect(port: Int, reads: Bool = true) async throws -> RawClient {
        try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.autoRead, value: reads)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    let inbox = Inbox()
                    try channel.pipeline.syncOperations.addHandler(inbox)
                    return RawClient(channel: channel, inbox: NIOLoopBound(inbox, eventLoop: channel.eventLoop))
                }
            }
    }

    func send(_ text: String) async throws {
        try await channel.writeAndFlush(ByteBuffer(string: text))
    }

    /// Sends a FIN and goes on reading.
    func closeOutput() async throws {
        try await channel.close(mode: .output)
    }

    func close() async throws {
        try await channel.close()
    }

    /// All bytes so far, as soon as they end with `text`.
    func received(endingWith text: String) async throws -> String {
        try await wait { inbox in inbox.text.hasSuffix(text) ? inbox.text : nil }
    }

    /// All bytes so far, as soon as they contain `text` so many times.
    func received(containing text: String, times: Int = 1) async throws -> String {
        try await wait { inbox in inbox.text.ranges(of: text).count >= times ? inbox.text : nil }
    }

    /// All bytes that came until the server closed its side, or the connection.
    func receivedAll() async throws -> String {
        try await wait { inbox in inbox.isEnded ? inbox.text : nil }
    }

    private func wait<Result: Sendable>(_ condition: @escaping @Sendable (Inbox) -> Result?) async throws -> Result {
        let inbox = inbox
        return try await channel.eventLoop.flatSubmit {
            inbox.value.wait(on: inbox.eventLoop, condition)
        }.get()
    }

    /// Nothing of what was waited for came within 10 seconds.
    struct DeadlinePassed: Error {
        let received: String
    }

    private final class Inbox: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private(set) var text = ""
        private(set) var isEnded = false
        private var waiters: [() -> Bool] = []

        func wait<Result: Sendable>(
            on loop: any EventLoop,
            _ condition: @escaping @Sendable (Inbox) -> Result?
        ) -> EventLoopFuture<Result> {
            let promise = loop.makePromise(of: Result.self)
            let deadline = loop.assumeIsolated().scheduleTask(in: .seconds(10)) { [self] in
                promise.fail(DeadlinePassed(received: text))
            }
            waiters.append { [self] in
                guard let result = condition(self) else { return false }
                deadline.cancel()
                promise.succeed(result)
                return true
            }
            look()
            return promise.futureResult
        }

        private func look() {
            waiters.removeAll { $0() }
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            text += String(buffer: Self.unwrapInboundIn(data))
            look()
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if (event as? ChannelEvent) == .inputClosed { isEnded = true }
            look()
        }

        func channelInactive(context: ChannelHandlerContext) {
            isEnded = true
            look()
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }
    }
}
