import NIOCore
import Testing

@testable import Server

/// Plain HTTP through the front, over real sockets: what is kept open and what is cut.
@Suite struct RequestGuardTests {
    // MARK: Keeping and closing

    @Test func `a connection serves one request after another`() async throws {
        try await FrontServer.run { server in
            let client = try await RawClient.connect(port: server.port)
            for count in 1...3 {
                try await client.send(RequestText.get("/ping"))
                _ = try await client.received(containing: "pong", times: count)
            }
            try await client.send(RequestText.post("abc", "Content-Length: 3"))
            let text = try await client.received(endingWith: "abc")
            #expect(text.ranges(of: "200 OK").count == 4)
            #expect(!text.lowercased().contains("connection: close"))
        }
    }

    @Test func `requests sent together are answered in order`() async throws {
        try await FrontServer.run { server in
            let client = try await RawClient.connect(port: server.port)
            try await client.send(
                RequestText.post("one", "Content-Length: 3") + RequestText.get("/ping")
                    + RequestText.post("two", "Content-Length: 3", "Connection: close")
            )
            let text = try await client.receivedAll()
            let replies = text.split(separator: "HTTP/1.1 ").map { Reply("HTTP/1.1 " + $0) }
            #expect(replies.map(\.body) == ["one", "pong", "two"])
            #expect(replies.map { $0.headers["connection"] } == [nil, nil, "close"])
        }
    }

    @Test(arguments: [
        "GET /ping HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
        "GET /ping HTTP/1.1\r\nHost: h\r\nConnection: Close, TE\r\n\r\n",
        "GET /ping HTTP/1.0\r\n\r\n",
        "GET /ping HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        // The decoder takes what follows these for another protocol: kept open, such a connection would hang.
        "GET /ping HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n",
        "POST /ping HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 0\r\n\r\n",
    ])
    func `the last request of a connection is answered and the connection closed`(request: String) async throws {
        let connections = Connections()
        try await FrontServer.run(admits: connections.admit) { server in
            let client = try await RawClient.connect(port: server.port)
            try await client.send(request + RequestText.get("/ping"))
            let text = try await client.receivedAll()
            #expect(text.ranges(of: "HTTP/1.1 ").count == 1)
            let reply = Reply(text)
            #expect(reply.headers["connection"] == "close")
            #expect(reply.status == (request.hasPrefix("GET") ? 200 : 405))
            try await client.close()
            try await connections.nextClosed()
        }
    }

    @Test func `a socket needs a connection of its own`() async throws {
        try await FrontServer.run { server in
            let client = try await RawClient.connect(port: server.port)
            try await client.send(RequestText.get("/ping") + FrontServer.handshake())
            let text = try await client.receivedAll()
            #expect(text.contains("pong"))
            #expect(text.contains("HTTP/1.1 400 "))
            #expect(text.hasSuffix(#"{"error":"a WebSocket needs a connection of its own"}"#))
        }
    }

    @Test func `a connection that lies idle between requests is closed, a dripped head included`() async throws {
        var limits = FrontServer.limits
        limits.idleTime = .milliseconds(50)
        let connections = Connections()
        try await FrontServer.run(limits: limits, admits: connections.admit) { server in
            for start in ["", "GET /ping HTT"] {
                let client = try await RawClient.connect(port: server.port)
                try await client.send(RequestText.get("/ping") + start)
                #expect(Reply(try await client.receivedAll()).body == "pong")
                try await connections.nextClosed()
            }
        }
    }

    // MARK: Before the first request

    @Test(arguments: ["", "\r\n\r\n", "GET /ws HT", "GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nX: "])
    func `who isn't through with the head in time is cut`(start: String) async throws {
        var limits = FrontServer.limits
        limits.handshakeTime = .milliseconds(50)
        let connections = Connections()
        try await FrontServer.run(limits: limits, admits: connections.admit) { server in
            let client = try await RawClient.connect(port: server.port)
            if !start.isEmpty { try await client.send(start) }
            #expect(try await client.receivedAll() == "")
            try await connections.nextClosed()
        }
    }

    @Test func `a decision that takes too long costs the connection`() async throws {
        var limits = FrontServer.limits
        limits.handshakeTime = .milliseconds(50)
        let connections = Connections()
        let decide = PendingDecision().decide
        try await FrontServer.run(limits: limits, admits: connections.admit, decide: decide) { server in
            let client = try await RawClient.connect(port: server.port)
            try await client.send(FrontServer.handshake())
            #expect(try await client.receivedAll() == "")
            try await connections.nextClosed()
        }
    }

    @Test func `a client that only half closes is answered if it asked and closed if it didn't`() async throws {
        let connections = Connections()
        try await FrontServer.run(admits: connections.admit) { server in
            for (sent, body) in [
                ("", ""), ("GET /pi", #"{"error":"malformed request"}"#), (RequestText.get("/ping"), "pong"),
            ] {
                let client = try await RawClient.connect(port: server.port)
                if !sent.isEmpty { try await client.send(sent) }
                try await client.closeOutput()
                #expect(Reply(try await client.receivedAll()).body == body)
                try await connections.nextClosed()
            }
        }
    }

    @Test func `a client that half closes during the decision is cut`() async throws {
        let decision = PendingDecision()
        let connections = Connections()
        try await FrontServer.run(admits: connections.admit, decide: decision.decide) { server in
            let client = try await RawClient.connect(port: server.port)
            try await client.send(FrontServer.handshake())
            _ = await decision.asked()
            try await client.closeOutput()
            try await connections.nextClosed()
        }
    }

    // MARK: Shutdown and admission

    /// ```
    /// nothing sent     ─┐
    /// half a head      ─┼─ shutdown: all three are closed, the server ends
    /// idle, kept open  ─┘
    /// ```
    @Test func `a shutdown closes connections that wait for a request`() async throws {
        let connections = Connections()
        try await FrontServer.run(admits: connections.admit) { server in
            let clients = [
                try await RawClient.connect(port: server.port), try await RawClient.connect(port: server.port),
                try await RawClient.connect(port: server.port),
            ]
            try await clients[1].send("GET /ws HTTP/1.1\r\n")
            try await clients[2].send(RequestText.get("/ping"))
            _ = try await clients[2].received(endingWith: "pong")
            await server.shutDown()
            for _ in clients { try await connections.nextClosed() }
        }
    }

    @Test func `a shutdown closes a connection whose decision is pending`() async throws {
        let connections = Connections()
        let decision = PendingDecision()
        try await FrontServer.run(admits: connections.admit, decide: decision.decide) { server in
            let client = try await RawClient.connect(port: server.port)
            try await client.send(FrontServer.handshake())
            _ = await decision.asked()
            await server.shutDown()
            try await connections.nextClosed()
        }
    }

    @Test func `an address gets as many connections as it may have`() async throws {
        let limiter = ConnectionLimiter(perAddress: 2, trustedProxies: [])
        try await FrontServer.run(admits: limiter.admit) { server in
            let first = try await RawClient.connect(port: server.port)
            let second = try await RawClient.connect(port: server.port)
            for client in [first, second] {
                try await client.send(RequestText.get("/ping"))
                _ = try await client.received(endingWith: "pong")
            }
            let third = try await RawClient.connect(port: server.port)
            #expect(try await third.receivedAll() == "")

            try await first.close()
            let served = await eventually {
                let next = try await RawClient.connect(port: server.port)
                try await next.send(RequestText.get("/ping", "Connection: close"))
                return try await next.receivedAll().hasSuffix("pong")
            }
            #expect(served)
            #expect(limiter.addresses == 1)
        }
    }

    @Test func `a trusted proxy may have any number of connections`() async throws {
        let loopback = try #require(AddressBlock("127.0.0.0/8"))
        let limiter = ConnectionLimiter(perAddress: 1, trustedProxies: [loopback])
        try await FrontServer.run(admits: limiter.admit) { server in
            for _ in 1...3 {
                let client = try await RawClient.connect(port: server.port)
                try await client.send(RequestText.get("/ping"))
                _ = try await client.received(endingWith: "pong")
            }
            #expect(limiter.addresses == 0)
        }
    }
}
