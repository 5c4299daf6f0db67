import NIOCore
import Testing

@testable import Server

/// Plain HTTP through the front, over real sockets: what is too much, too long or no HTTP at all.
@Suite struct RequestLimitsTests {
    /// The limit counts URL, names and values: here `/ping`, `Host`, `h`, `X` and so many `x`.
    @Test(arguments: [(100 - 11, 200), (100 - 10, 431)])
    func `a head at the limit is read and one past it is refused`(padding: Int, status: Int) async throws {
        var limits = FrontServer.limits
        limits.headBytes = 100
        try await FrontServer.run(limits: limits) { server in
            let request = RequestText.get("/ping", "X: " + String(repeating: "x", count: padding))
            let first = try await RawClient.connect(port: server.port)
            try await first.send(request)
            try await first.closeOutput()
            let reply = Reply(try await first.receivedAll())
            #expect(reply.status == status)
            if status == 431 {
                #expect(reply.body == #"{"error":"request head too large"}"#)
                #expect(reply.headers["connection"] == "close")
                #expect(reply.headers["access-control-allow-origin"] == "*")
            }

            let second = try await RawClient.connect(port: server.port)
            try await second.send(RequestText.get("/ping") + request)
            try await second.closeOutput()
            let text = try await second.receivedAll()
            #expect(text.contains("HTTP/1.1 200 "))
            #expect(text.split(separator: "HTTP/1.1 ").last?.hasPrefix("\(status) ") == true)
        }
    }

    @Test(arguments: [
        ("nonsense\r\n\r\n", 400), ("GET / HTTP/1.1\r\nno colon\r\n\r\n", 400), ("GET / HTTP/2.0\r\n\r\n", 505),
        ("\u{16}\u{3}\u{1}\u{2}\u{0}", 400), ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    ])
    func `what is no request is answered as such`(text: String, status: Int) async throws {
        try await FrontServer.run { server in
            for before in ["", RequestText.get("/ping")] {
                let client = try await RawClient.connect(port: server.port)
                try await client.send(before + text)
                let all = try await client.receivedAll()
                #expect(all.contains("pong") == !before.isEmpty)
                let reply = Reply("HTTP/1.1 " + (all.split(separator: "HTTP/1.1 ").last ?? ""))
                #expect(reply.status == status)
                #expect(reply.body.hasPrefix(#"{"error":""#))
            }
        }
    }

    @Test(arguments: [
        ("Content-Length: 1000", String(repeating: "a", count: 1_000), 200),
        ("Content-Length: 1001", String(repeating: "a", count: 1_001), 413),
        ("Content-Length: 1001", "", 413),
        ("Content-Length: 99999999999999", "a", 413),
        ("Transfer-Encoding: chunked", "3e8\r\n" + String(repeating: "a", count: 1_000) + "\r\n0\r\n\r\n", 200),
        ("Transfer-Encoding: chunked", "3e9\r\n" + String(repeating: "a", count: 1_001) + "\r\n0\r\n\r\n", 413),
        ("Transfer-Encoding: chunked", String(repeating: "1\r\na\r\n", count: 2_000), 413),
        ("Transfer-Encoding: chunked", "3\r\nabc\r\nnonsense\r\n\r\n", 400),
        ("Content-Length: -1", "", 400),
        ("Content-Length: 1\r\nContent-Length: 2", "ab", 400),
        ("Content-Length: 1\r\nTransfer-Encoding: chunked", "0\r\n\r\n", 400),
    ])
    func `a body at the limit is read and one past it is refused`(
        header: String,
        body: String,
        status: Int
    )
        async throws
    {
        try await FrontServer.run { server in
            let client = try await RawClient.connect(port: server.port)
            try await client.send(RequestText.post(body, header))
            if status == 200 { try await client.closeOutput() }
            let reply = Reply(try await client.receivedAll())
            #expect(reply.status == status)
            if status == 413 { #expect(reply.body == #"{"error":"body too large"}"#) }
            if status != 200 { #expect(reply.headers["connection"] == "close") }
        }
    }

    @Test func `a route that doesn't read the body answers, and the rest is thrown away`() async throws {
        try await FrontServer.run { server in
            let client = try await RawClient.connect(port: server.port)
            let body = String(repeating: "a", count: 200_000)
            try await client.send(RequestText.get("/deaf", "Content-Length: \(body.utf8.count)") + body)
            let reply = Reply(try await client.receivedAll())
            #expect(reply.status == 200)
            #expect(reply.headers["connection"] == "close")
        }
    }

    @Test(arguments: ["Content-Length: 100\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"])
    func `a body that drips costs the connection`(rest: String) async throws {
        var limits = FrontServer.limits
        limits.requestTime = .milliseconds(50)
        let connections = Connections()
        try await FrontServer.run(limits: limits, admits: connections.admit) { server in
            let client = try await RawClient.connect(port: server.port)
            try await client.send("POST /echo HTTP/1.1\r\nHost: h\r\n" + rest)
            try await connections.nextClosed()
        }
    }

    @Test func `who doesn't read its response is cut`() async throws {
        var limits = FrontServer.limits
        limits.requestTime = .milliseconds(200)
        let connections = Connections()
        try await FrontServer.run(limits: limits, admits: connections.admit) { server in
            let client = try await RawClient.connect(port: server.port, reads: false)
            try await client.send(RequestText.get("/large"))
            try await connections.nextClosed()
        }
    }
}
