import HTTPTypes
import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1
import Testing

@testable import Server

/// The way from a handshake to a WebSocket or a refusal, over real sockets.
@Suite struct UpgradeTests {
    private static let switched =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        + "Sec-WebSocket-Accept: as computed\r\n\r\ngreeting;"

    @Test func `frames that come with the handshake reach the socket`() async throws {
        try await FrontServer.run { server in
            let client = try await RawClient.connect(port: server.port)
            try await client.send(FrontServer.handshake() + "abc")
            #expect(try await client.received(endingWith: "[c]") == Self.switched + "[a][b][c]")
            try await client.send("d")
            #expect(try await client.received(endingWith: "[d]") == Self.switched + "[a][b][c][d]")
        }
    }

    @Test func `a handshake may come byte by byte`() async throws {
        try await FrontServer.run { server in
            let client = try await RawClient.connect(port: server.port)
            for byte in (FrontServer.handshake("/ws/me?x=1") + "a").unicodeScalars {
                try await client.send(String(byte))
            }
            #expect(try await client.received(endingWith: "[a]") == Self.switched + "[a]")
        }
    }

    @Test func `nothing of HTTP stays in a socket's pipeline`() async throws {
        try await FrontServer.run { server in
            let client = try await RawClient.connect(port: server.port)
            try await client.send(FrontServer.handshake() + "a")
            _ = try await client.received(endingWith: "[a]")
            try await client.send("?!")
            let answer = try await client.received(endingWith: "[!]")
            #expect(answer.contains("EchoHandler"))
            for name in ["HTTPResponseEncoder", "ByteToMessageHandler", "Guard", "Gate", "Async"] {
                #expect(!answer.contains(name), "\(name)")
            }
        }
    }

    /// ```
    /// client                       decider
    /// handshake, "a"  ───────────▶ asked
    /// "b"             ───────────▶
    ///                 ◀─────────── accepts
    /// ```
    @Test func `what comes while the decision is made waits for it`() async throws {
        let decision = PendingDecision()
        try await FrontServer.run(decide: decision.decide) { server in
            let client = try await RawClient.connect(port: server.port)
            try await client.send(FrontServer.handshake() + "a")
            let promise = await decision.asked()
            try await client.send("b")
            promise.succeed(FrontServer.acceptance)
            #expect(try await client.received(endingWith: "[b]") == Self.switched + "[a][b]")
        }
    }

    @Test func `a refusal has its status, its headers and a body of JSON, and ends the connection`() async throws {
        let decide: UpgradeGate.Decide = { _, channel in
            let failure = HTTPFailure(.unauthorized, "token is expired")
            return channel.eventLoop.makeSucceededFuture(.refuse(failure, headers: ["X-More": "1"]))
        }
        try await FrontServer.run(decide: decide) { server in
            let client = try await RawClient.connect(port: server.port)
            try await client.send(FrontServer.handshake(headers: ["Origin: https://a.example"]))
            let reply = Reply(try await client.receivedAll())
            #expect(reply.status == 401)
            #expect(reply.body == #"{"error":"token is expired"}"#)
            #expect(reply.headers["content-type"] == "application/json; charset=utf-8")
            #expect(reply.headers["content-length"] == "\(reply.body.utf8.count)")
            #expect(reply.headers["connection"] == "close")
            #expect(reply.headers["x-more"] == "1")
            #expect(reply.headers["access-control-allow-origin"] == "*")
            try await client.close()
        }
    }

    @Test func `a refused client that goes on sending still gets the refusal and is cut in the end`() async throws {
        var limits = FrontServer.limits
        limits.lingerTime = .milliseconds(50)
        let decide: UpgradeGate.Decide = { _, channel in
            channel.eventLoop.makeSucceededFuture(.refuse(HTTPFailure(.forbidden, "no")))
        }
        let connections = Connections()
        try await FrontServer.run(limits: limits, admits: connections.admit, decide: decide) { server in
            let client = try await RawClient.connect(port: server.port)
            try await client.send(FrontServer.handshake() + String(repeating: "x", count: 100_000))
            #expect(Reply(try await client.receivedAll()).status == 403)
            try await connections.nextClosed()
        }
    }

    @Test func `an error of the decider is a 500 that says nothing`() async throws {
        let decide: UpgradeGate.Decide = { _, channel in
            channel.eventLoop.makeFailedFuture(FrontServer.Broken(secret: "1234"))
        }
        try await FrontServer.run(decide: decide) { server in
            let client = try await RawClient.connect(port: server.port)
            try await client.send(FrontServer.handshake())
            let reply = Reply(try await client.receivedAll())
            #expect(reply.status == 500)
            #expect(reply.body == #"{"error":"internal error"}"#)
        }
    }

    @Test func `the decider sees the request as it came`() async throws {
        let seen = NIOLockedValueBox<HTTPRequestHead?>(nil)
        let decide: UpgradeGate.Decide = { head, channel in
            seen.withLockedValue { $0 = head }
            return FrontServer.acceptAll(head, channel)
        }
        try await FrontServer.run(decide: decide) { server in
            let client = try await RawClient.connect(port: server.port)
            try await client.send(FrontServer.handshake("/ws?send_id=1&receive_id=2", headers: ["X-Test: yes"]))
            _ = try await client.received(endingWith: "greeting;")
            let head = try #require(seen.withLockedValue { $0 })
            #expect(head.uri == "/ws?send_id=1&receive_id=2")
            #expect(head.headers["x-test"] == ["yes"])
            #expect(head.headers[canonicalForm: "connection"] == ["keep-alive", "Upgrade"])
        }
    }

    @Test(arguments: ["/", "/ping", "/wss", "/ws2", "/wsx/me", "/x/ws"])
    func `an upgrade on another path is a 404`(path: String) async throws {
        try await FrontServer.run { server in
            let client = try await RawClient.connect(port: server.port)
            try await client.send(FrontServer.handshake(path))
            let reply = Reply(try await client.receivedAll())
            #expect(reply.status == 404)
            #expect(reply.body == #"{"error":"not found"}"#)
        }
    }

    @Test func `an upgrade from another origin is refused before anyone is asked`() async throws {
        let local = OriginPolicy(allowedOrigins: nil, needsToken: false)
        let decide: UpgradeGate.Decide = { head, channel in
            #expect(head.headers["origin"] != ["https://evil.example"])
            return FrontServer.acceptAll(head, channel)
        }
        try await FrontServer.run(origins: local, decide: decide) { server in
            let evil = try await RawClient.connect(port: server.port)
            try await evil.send(FrontServer.handshake(headers: ["Origin: https://evil.example"]))
            let reply = Reply(try await evil.receivedAll())
            #expect(reply.status == 403)
            #expect(reply.body == #"{"error":"origin not allowed"}"#)
            #expect(reply.headers["access-control-allow-origin"] == nil)

            for headers in [["Origin: http://localhost:5173"], []] {
                let own = try await RawClient.connect(port: server.port)
                try await own.send(FrontServer.handshake(headers: headers))
                #expect(try await own.received(endingWith: "greeting;") == Self.switched)
            }
        }
    }

    @Test func `a request that isn't the decider's goes to the routes whole`() async throws {
        let decide: UpgradeGate.Decide = { _, channel in channel.eventLoop.makeSucceededFuture(.http) }
        try await FrontServer.run(decide: decide) { server in
            let client = try await RawClient.connect(port: server.port)
            try await client.send("GET /ws/x HTTP/1.1\r\nHost: h\r\n\r\nGET /ping HTTP/1.1\r\nHost: h\r\n\r\n")
            let text = try await client.received(endingWith: "pong")
            #expect(text.contains("HTTP/1.1 404 Not Found"))
            #expect(text.contains("HTTP/1.1 200 OK"))
        }
    }

    @Test(arguments: [
        ("Content-Length: 3", "abc", 400),
        ("Content-Length: 1001", "", 413),
        ("Transfer-Encoding: chunked", "1\r\nx", 400),
    ])
    func `a handshake with a body is refused`(header: String, body: String, status: Int) async throws {
        try await FrontServer.run(decide: PendingDecision().decide) { server in
            let client = try await RawClient.connect(port: server.port)
            try await client.send(FrontServer.handshake(headers: [header]) + body)
            #expect(Reply(try await client.receivedAll()).status == status)
        }
    }

    @Test func `a socket that can't be installed is closed`() async throws {
        let decide: UpgradeGate.Decide = { _, channel in
            channel.eventLoop.makeSucceededFuture(
                .accept(["Upgrade": "websocket"], install: { _ in throw FrontServer.Broken(secret: "") })
            )
        }
        let connections = Connections()
        try await FrontServer.run(admits: connections.admit, decide: decide) { server in
            let client = try await RawClient.connect(port: server.port)
            try await client.send(FrontServer.handshake())
            #expect(Reply(try await client.receivedAll()).status == 101)
            try await connections.nextClosed()
        }
    }
}
