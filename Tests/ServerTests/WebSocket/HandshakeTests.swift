import NIOHTTP1
import Testing

@testable import Server

@Suite struct HandshakeTests {
    /// The handshake of the RFC's section 1.2, with changes.
    private static func head(
        _ uri: String = "/chat",
        method: HTTPMethod = .GET,
        version: HTTPVersion = .http1_1,
        without: [String] = [],
        adding: [(String, String)] = []
    ) -> HTTPRequestHead {
        var headers: HTTPHeaders = [
            "Host": "server.example.com", "Upgrade": "websocket", "Connection": "Upgrade",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version": "13",
        ]
        for name in without { headers.remove(name: name) }
        for (name, value) in adding { headers.add(name: name, value: value) }
        return HTTPRequestHead(version: version, method: method, uri: uri, headers: headers)
    }

    private func accepted(_ head: HTTPRequestHead) throws -> Handshake {
        guard case .webSocket(let handshake) = HandshakeRequest(head) else {
            throw Unexpected(request: HandshakeRequest(head))
        }
        return handshake
    }

    private struct Unexpected: Error { let request: HandshakeRequest }

    @Test
    func `the example of the RFC gets the key of the RFC`() throws {
        let handshake = try accepted(Self.head())
        #expect(handshake.acceptKey == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        #expect(handshake.target.segments == ["chat"])
        #expect(handshake.subprotocols == [])
        #expect(handshake.bearerToken == nil)
        let headers = handshake.responseHeaders(subprotocol: nil)
        #expect(headers["Sec-WebSocket-Accept"] == ["s3pPLMBiTxaQ9kYGzzhZRbK+xOo="])
        #expect(headers["Upgrade"] == ["websocket"])
        #expect(headers["Connection"] == ["Upgrade"])
        #expect(!headers.contains(name: "Sec-WebSocket-Protocol"))
    }

    @Test(arguments: [
        head(without: ["Connection"], adding: [("Connection", "keep-alive, upgrade")]),
        head(without: ["Connection"], adding: [("Connection", "keep-alive"), ("connection", "UPGRADE")]),
        head(without: ["Upgrade"], adding: [("upgrade", "WebSocket")]),
        head(without: ["Upgrade"], adding: [("Upgrade", "h2c, websocket")]),
        head(adding: [("Content-Length", "0")]),
        head("http://server.example.com/chat"),
    ])
    func `headers may be written in any way that HTTP allows`(head: HTTPRequestHead) throws {
        #expect(try accepted(head).target.segments == ["chat"])
    }

    @Test(arguments: [
        head(without: ["Upgrade", "Sec-WebSocket-Key"]),
        head(without: ["Upgrade", "Sec-WebSocket-Key", "Connection", "Sec-WebSocket-Version"]),
        head(without: ["Upgrade", "Sec-WebSocket-Key"], adding: [("Upgrade", "h2c")]),
        head(method: .POST, without: ["Upgrade", "Sec-WebSocket-Key"], adding: [("Content-Length", "3")]),
    ])
    func `what asks for no WebSocket is plain HTTP`(head: HTTPRequestHead) {
        #expect(HandshakeRequest(head) == .plain)
    }

    @Test(arguments: [
        head(without: ["Sec-WebSocket-Version"]),
        head(without: ["Sec-WebSocket-Version"], adding: [("Sec-WebSocket-Version", "8")]),
        head(without: ["Sec-WebSocket-Version"], adding: [("Sec-WebSocket-Version", "")]),
        head(without: ["Sec-WebSocket-Version"], adding: [("Sec-WebSocket-Version", "13, 8")]),
        head(adding: [("Sec-WebSocket-Version", "13")]),
        head(without: ["Sec-WebSocket-Version", "Sec-WebSocket-Key"]),
    ])
    func `another version gets 426 and the one that we speak`(head: HTTPRequestHead) {
        guard case .refused(let refusal) = HandshakeRequest(head) else {
            Issue.record("not refused: \(HandshakeRequest(head))")
            return
        }
        #expect(refusal.status == .upgradeRequired)
        #expect(refusal.headers["Sec-WebSocket-Version"] == ["13"])
    }

    @Test(arguments: [
        ("GET", head(method: .POST)),
        ("GET", head(method: .HEAD)),
        ("HTTP/1.1", head(version: .http1_0)),
        ("Host", head(without: ["Host"])),
        ("Host", head(adding: [("Host", "other.example.com")])),
        ("body", head(adding: [("Content-Length", "5")])),
        ("body", head(adding: [("Transfer-Encoding", "chunked")])),
        ("Upgrade: websocket", head(without: ["Upgrade"])),
        ("Connection: Upgrade", head(without: ["Connection"])),
        ("Connection: Upgrade", head(without: ["Connection"], adding: [("Connection", "keep-alive")])),
        ("Sec-WebSocket-Key", head(without: ["Sec-WebSocket-Key"])),
        ("Sec-WebSocket-Key", head(adding: [("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")])),
        ("Sec-WebSocket-Key", key("")),
        ("Sec-WebSocket-Key", key("dGhlIHNhbXBsZSBub25jZQ")),
        ("Sec-WebSocket-Key", key("dGhlIHNhbXBsZSBub25jZ===")),
        ("Sec-WebSocket-Key", key("dGhlIHNhbXBsZSBub25j")),
        ("Sec-WebSocket-Key", key("dGhlIHNhbXBsZSBub25jZQQQ")),
        ("Sec-WebSocket-Key", key("dGhlIHNhbXBsZSBub25j!Q==")),
        ("Sec-WebSocket-Key", key("dGhlIHNhbXBsZSBub25jZSBsb25n")),
        ("'%'", head("/ws/%zz")),
        ("path", head("nowhere")),
    ])
    func `a broken handshake gets 400 and what is wrong with it`(word: String, head: HTTPRequestHead) {
        guard case .refused(let refusal) = HandshakeRequest(head) else {
            Issue.record("not refused: \(HandshakeRequest(head))")
            return
        }
        #expect(refusal.status == .badRequest)
        #expect(refusal.reason.contains(word))
    }

    private static func key(_ key: String) -> HTTPRequestHead {
        head(without: ["Sec-WebSocket-Key"], adding: [("Sec-WebSocket-Key", key)])
    }

    @Test(arguments: [
        ([("Sec-WebSocket-Protocol", "bearer, abc.def.ghi")], "abc.def.ghi"),
        ([("Sec-WebSocket-Protocol", "chat,bearer,abc")], "abc"),
        ([("Sec-WebSocket-Protocol", "bearer"), ("Sec-WebSocket-Protocol", "abc")], "abc"),
        ([("Sec-WebSocket-Protocol", "bearer")], nil),
        ([("Sec-WebSocket-Protocol", "bearer, ")], nil),
        ([("Sec-WebSocket-Protocol", "chat, abc")], nil),
        ([], nil),
    ])
    func `a browser's token is the subprotocol after bearer`(headers: [(String, String)], token: String?) throws {
        #expect(try accepted(Self.head(adding: headers)).bearerToken == token)
    }

    @Test
    func `the subprotocol that was chosen is answered`() throws {
        let headers = try accepted(Self.head(adding: [("Sec-WebSocket-Protocol", "bearer, t")]))
            .responseHeaders(subprotocol: "bearer")
        #expect(headers["Sec-WebSocket-Protocol"] == ["bearer"])
    }
}
