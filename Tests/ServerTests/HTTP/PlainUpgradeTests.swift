import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import Server

/// What is read of a handshake at first sight is what NIO's decoder reads.
@Suite struct PlainUpgradeTests {
    private static let example = FrontServer.handshake("/ws?send_id=a&receive_id=b", headers: ["Origin: http://h"])
    private static let maxHeadBytes = 1024

    private static func read(_ text: String, maxHeadBytes: Int = maxHeadBytes) -> PlainUpgrade? {
        PlainUpgrade(ByteBuffer(string: text), maxHeadBytes: maxHeadBytes)
    }

    @Test func `a browser's handshake is read whole`() throws {
        let bytes = ByteBuffer(string: Self.example + "GET / HTTP/1.1\r\n")
        let request = try #require(PlainUpgrade(bytes, maxHeadBytes: Self.maxHeadBytes))
        #expect(request.headBytes == Self.example.utf8.count)
        #expect(request.head == (try Decoded(Self.example).head))
        #expect(request.head.headers["connection"] == ["keep-alive, Upgrade"])
    }

    @Test func `no part of a handshake is taken for the whole`() {
        for length in 0..<Self.example.utf8.count {
            let part = ByteBuffer(bytes: Self.example.utf8.prefix(length))
            #expect(PlainUpgrade(part, maxHeadBytes: Self.maxHeadBytes) == nil, "\(length)")
        }
    }

    @Test func `a head may have as many bytes as the limit says, and no more`() {
        let count = Self.example.utf8.count
        #expect(Self.read(Self.example, maxHeadBytes: count) != nil)
        #expect(Self.read(Self.example, maxHeadBytes: count - 1) == nil)
    }

    @Test func `a head may have 64 headers, and no more`() {
        let few = (5..<PlainUpgrade.maxHeaders).map { "X-\($0): 1" }
        #expect(Self.read(FrontServer.handshake(headers: few)) != nil)
        #expect(Self.read(FrontServer.handshake(headers: few + ["X: 1"])) == nil)
    }

    @Test(arguments: [
        "POST /ws HTTP/1.1\r\nHost: h\r\n\r\n", "GET /ws HTTP/1.0\r\nHost: h\r\n\r\n",
        "GET /wsx HTTP/1.1\r\nHost: h\r\n\r\n", "GET http://h/ws HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /ws#x HTTP/1.1\r\nHost: h\r\n\r\n", "GET  /ws HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /ws HTTP/1.1\nHost: h\n\n", "GET /ws HTTP/1.1\r\nHost: h\n\r\n", "\r\nGET /ws HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /ws HTTP/1.1\r\nHost : h\r\n\r\n", "GET /ws HTTP/1.1\r\nHost: h\r\n folded\r\n\r\n",
        "GET /ws HTTP/1.1\r\nHost: h \r\n\r\n", "GET /ws HTTP/1.1\r\nHost:\r\n\r\n", "GET /ws HTTP/1.1\r\n: h\r\n\r\n",
        "GET /ws HTTP/1.1\r\nX: a\u{0}b\r\n\r\n", "GET /ws HTTP/1.1\r\nX: é\r\n\r\n",
        "GET /ws/é HTTP/1.1\r\nX: y\r\n\r\n",
        "GET /ws HTTP/1.1\r\nContent-Length: 0\r\n\r\n", "GET /ws HTTP/1.1\r\nTRANSFER-ENCODING: chunked\r\n\r\n",
    ])
    func `what is unusual, or may be more than a head, is left to NIO's decoder`(text: String) {
        #expect(Self.read(text) == nil)
    }

    /// Handshakes with bytes changed, left out, doubled and cut, by a fixed seed.
    @Test func `whatever is read, NIO's decoder reads the same`() throws {
        var random = SplitMix64(seed: 0x5eed)
        let pieces = [
            "\r\n", "\n", " ", "\t", ":", ",", "\r", "\0", "é", "Host: x\r\n", "Upgrade: h2c\r\n", "Connection: x\r\n",
        ]
        let followers = ["", "\u{81}\u{80}", "GET / HTTP/1.1\r\nHost: h\r\n\r\n", "abc"]
        var readCount = 0
        for _ in 0..<20_000 {
            var text = Array(Self.example.utf8)
            for _ in 0..<Int.random(in: 0..<4, using: &random) {
                let index = Int.random(in: 0..<text.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: text[index] = UInt8.random(in: .min ... .max, using: &random)
                case 1: text.remove(at: index)
                case 2: text.insert(contentsOf: (pieces.randomElement(using: &random) ?? "").utf8, at: index)
                default: text[index] ^= 0x20
                }
            }
            let follower = (followers.randomElement(using: &random) ?? "").utf8
            guard let request = PlainUpgrade(ByteBuffer(bytes: text + follower), maxHeadBytes: Self.maxHeadBytes) else {
                continue
            }
            readCount += 1
            let shown = String(decoding: text, as: UTF8.self).debugDescription
            let decoded = try Decoded(bytes: Array(text.prefix(request.headBytes)))
            #expect(decoded.head == request.head, "\(shown)")
            #expect(decoded.hasEnded, "\(shown)")
        }
        // Else nothing was compared.
        #expect(readCount > 2_000)
    }

    /// What NIO's decoder makes of bytes.
    private struct Decoded {
        var head: HTTPRequestHead?
        var hasEnded = false

        init(_ text: String) throws { try self.init(bytes: Array(text.utf8)) }

        init(bytes: [UInt8]) throws {
            let channel = EmbeddedChannel(
                handler: ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes))
            )
            defer { _ = try? channel.finish(acceptAlreadyClosed: true) }
            try channel.writeInbound(ByteBuffer(bytes: bytes))
            while let part = try channel.readInbound(as: HTTPServerRequestPart.self) {
                switch part {
                case .head(let found): head = found
                case .body: break
                case .end: hasEnded = true
                }
            }
        }
    }
}
