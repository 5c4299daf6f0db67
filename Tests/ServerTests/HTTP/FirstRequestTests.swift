import HTTPTypes
import Logging
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import Server

/// The first look at a connection, on a channel without a socket; ``UpgradeTests`` go over real ones.
@Suite struct FirstRequestTests {
    private static let handshake = FrontServer.handshake("/ws?send_id=a&receive_id=b")

    /// A connection whose HTTP handlers only keep what they get.
    private struct Connection {
        let channel = EmbeddedChannel()
        let http = Collector()

        init(
            origins: OriginPolicy = FrontServer.anyOrigin,
            decide: @escaping UpgradeGate.Decide = FrontServer.acceptAll
        ) throws {
            let http = http
            let first = FirstRequest(
                limits: FrontServer.limits,
                origins: origins,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
                decide: decide,
                addHTTP: { channel, decide, deadline in
                    (http.decide, http.deadline) = (decide, deadline)
                    try channel.pipeline.syncOperations.addHandler(http)
                }
            )
            try channel.pipeline.syncOperations.addHandler(first)
            channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
        }

        func send(_ text: String) throws { try channel.writeInbound(ByteBuffer(string: text)) }

        /// All that was written so far and not asked for.
        func written() throws -> String {
            var all = ""
            while let bytes = try channel.readOutbound(as: ByteBuffer.self) { all += String(buffer: bytes) }
            return all
        }

        var isOpen: Bool { channel.isActive }
    }

    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        var decide: UpgradeGate.Decide?
        var deadline: NIODeadline?
        private(set) var text = ""

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            text += String(buffer: Self.unwrapInboundIn(data))
        }
    }

    @Test func `a plain handshake is answered without HTTP's handlers, and what follows it is the socket's`() throws {
        let connection = try Connection()
        try connection.send(Self.handshake + "a")
        #expect(try connection.written().hasSuffix("Sec-WebSocket-Accept: as computed\r\n\r\ngreeting;[a]"))
        #expect(connection.http.decide == nil)
        try connection.send("b")
        #expect(try connection.written() == "[b]")
    }

    @Test func `wherever a handshake is cut in two, HTTP gets every byte once`() throws {
        for cut in 1..<Self.handshake.utf8.count {
            let connection = try Connection()
            // By bytes: to a `String` the end of a line is one character.
            try connection.send(String(decoding: Array(Self.handshake.utf8.prefix(cut)), as: UTF8.self))
            try connection.send(String(decoding: Array(Self.handshake.utf8.dropFirst(cut)), as: UTF8.self) + "a")
            #expect(connection.http.text == Self.handshake + "a", "\(cut)")
            #expect(try connection.written() == "", "\(cut)")
        }
    }

    @Test(arguments: ["GET /ping HTTP/1.1\r\nHost: h\r\n\r\n", "\u{16}\u{3}\u{1}", "x"])
    func `what is no handshake goes to HTTP as it came, with the time that is left`(text: String) throws {
        let connection = try Connection()
        connection.channel.embeddedEventLoop.advanceTime(by: .seconds(7))
        try connection.send(text)
        #expect(connection.http.text == text)
        #expect(connection.http.deadline == NIODeadline.uptimeNanoseconds(0) + FrontServer.limits.handshakeTime)
    }

    @Test func `a refusal is left to HTTP, which is told the decision and asks nobody again`() throws {
        let connection = try Connection(decide: { _, channel in
            channel.eventLoop.makeSucceededFuture(.refuse(HTTPFailure(.unauthorized, "no")))
        })
        try connection.send(Self.handshake)
        #expect(connection.http.text == Self.handshake)
        #expect(try connection.written() == "")
        let decide = try #require(connection.http.decide)
        let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/ws")
        guard case .refuse(let status, _, _) = try decide(head, connection.channel).wait() else {
            Issue.record("not refused")
            return
        }
        #expect(status == .unauthorized)
    }

    @Test func `another origin is left to HTTP before anybody is asked`() throws {
        let origins = OriginPolicy(allowedOrigins: nil, needsToken: false)
        let connection = try Connection(
            origins: origins,
            decide: { _, channel in
                Issue.record("asked")
                return channel.eventLoop.makeSucceededFuture(.http)
            }
        )
        let text = FrontServer.handshake(headers: ["Origin: https://evil.example"])
        try connection.send(text)
        #expect(connection.http.text == text)
    }

    @Test func `who says nothing in time is cut, who is through isn't`() throws {
        let time = FrontServer.limits.handshakeTime
        let silent = try Connection()
        let open = try Connection()
        try open.send(Self.handshake)
        for connection in [silent, open] {
            connection.channel.embeddedEventLoop.advanceTime(by: time - .nanoseconds(1))
        }
        #expect(silent.isOpen)
        for connection in [silent, open] { connection.channel.embeddedEventLoop.advanceTime(by: .nanoseconds(1)) }
        #expect(!silent.isOpen)
        #expect(open.isOpen)
    }

    @Test func `who waits for a decision is cut at the deadline too`() throws {
        let connection = try Connection(decide: { _, channel in
            let promise = channel.eventLoop.makePromise(of: UpgradeDecision.self)
            channel.closeFuture.whenComplete { _ in promise.succeed(.http) }
            return promise.futureResult
        })
        try connection.send(Self.handshake)
        connection.channel.embeddedEventLoop.advanceTime(by: FrontServer.limits.handshakeTime)
        #expect(!connection.isOpen)
        #expect(try connection.written() == "")
    }

    @Test(arguments: [true, false])
    func `shutdown and the end of the client's stream end a connection that is nothing yet`(isShutdown: Bool) throws {
        let connection = try Connection()
        let event: any Sendable = isShutdown ? ChannelShouldQuiesceEvent() : ChannelEvent.inputClosed
        connection.channel.pipeline.fireUserInboundEventTriggered(event)
        #expect(!connection.isOpen)
    }

    /// The same request, once plain and once with a header that only NIO's decoder reads.
    @Test(arguments: [
        [], ["Sec-WebSocket-Version: 12"], ["Sec-WebSocket-Key: x"], ["Host: other"], ["Upgrade: h2c"],
        ["Connection: close"], ["Sec-WebSocket-Protocol: bearer, T"], ["Origin: http://h"],
    ])
    func `the way that a handshake is read makes no difference to the answer`(headers: [String]) async throws {
        try await FrontServer.run(decide: Self.decideByTheRFC) { server in
            for path in ["/ws", "/ws/me?x=%zz", "/ws/a%20b?c=d"] {
                var answers: [String] = []
                for more in [[], ["X-Unusual: 1 "]] {
                    let client = try await RawClient.connect(port: server.port)
                    try await client.send(FrontServer.handshake(path, headers: headers + more) + "a")
                    let hasUpgraded = try await client.received(containing: "\r\n\r\n").contains(" 101 ")
                    if hasUpgraded {
                        answers.append(try await client.received(endingWith: "[a]"))
                    } else {
                        answers.append(try await client.receivedAll())
                    }
                }
                #expect(answers[0] == answers[1], "\(path)")
            }
        }
    }

    private static let decideByTheRFC: UpgradeGate.Decide = { head, channel in
        let decision: UpgradeDecision =
            switch HandshakeRequest(head) {
            case .plain: .refuse(HTTPFailure(.upgradeRequired, "plain"))
            case .refused(let refusal):
                .refuse(HTTPFailure(.init(code: Int(refusal.status.code)), refusal.reason), headers: refusal.headers)
            case .webSocket(let handshake):
                .accept(handshake.responseHeaders(subprotocol: handshake.subprotocols.first)) { channel in
                    try channel.pipeline.syncOperations.addHandler(EchoHandler())
                }
            }
        return channel.eventLoop.makeSucceededFuture(decision)
    }
}
