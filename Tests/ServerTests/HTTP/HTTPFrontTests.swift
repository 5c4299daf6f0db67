import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOConcurrencyHelpers
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import Server

/// What stands around the routes: errors as JSON, CORS, methods.
@Suite struct HTTPFrontTests {
    private static let required = OriginPolicy(allowedOrigins: nil, needsToken: true)
    private static let open = OriginPolicy(allowedOrigins: nil, needsToken: false)
    private static let listed = OriginPolicy(allowedOrigins: ["https://a.example"], needsToken: true)

    private func respond(
        _ method: HTTPRequest.Method,
        _ path: String,
        origin: String? = nil,
        policy: OriginPolicy = required,
        body: RequestBody = .init(buffer: ByteBuffer())
    ) async throws -> Response {
        let front = HTTPFront.make(origins: policy, addRoutes: FrontServer.addRoutes)
        var head = HTTPRequest(method: method, scheme: "http", authority: "h", path: path)
        head.headerFields[.origin] = origin
        let source = ApplicationRequestContextSource(
            channel: NIOAsyncTestingChannel(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        return try await front.respond(to: Request(head: head, body: body), context: FrontContext(source: source))
    }

    private func text(of response: Response) async throws -> String {
        let collector = Collector()
        try await response.body.write(collector)
        return String(buffer: collector.bytes.withLockedValue { $0 })
    }

    // MARK: Errors

    @Test(arguments: [
        (HTTPRequest.Method.get, "/nowhere", 404, #"{"error":"not found"}"#),
        (.get, "/", 404, #"{"error":"not found"}"#),
        (.get, "/ping/more", 404, #"{"error":"not found"}"#),
        (.get, "/rooms/1", 404, #"{"error":"no such room"}"#),
        (.post, "/ping", 405, #"{"error":"method not allowed"}"#),
        (.delete, "/rooms/1/members/2", 405, #"{"error":"method not allowed"}"#),
        (.get, "/broken", 500, #"{"error":"internal error"}"#),
        (.get, "/busy", 429, #"{"error":"too many tries"}"#),
        (.get, "/refused", 401, #"{"data":false,"code":400,"msg":"Unauthorized"}"#),
    ])
    func `every error has a body of JSON`(
        method: HTTPRequest.Method,
        path: String,
        status: Int,
        body: String
    ) async throws {
        let response = try await respond(method, path)
        #expect(response.status.code == status)
        #expect(response.headers[.contentType] == "application/json; charset=utf-8")
        #expect(try await text(of: response) == body)
        #expect(response.headers[.accessControlAllowOrigin] == "*")
    }

    @Test(arguments: [
        (HTTPRequest.Method.post, "/ping", "GET, HEAD"), (.get, "/rooms/1/members/2", "PUT"), (.put, "/echo", "POST"),
    ])
    func `a wrong method is told the right ones`(
        method: HTTPRequest.Method,
        path: String,
        allowed: String
    ) async throws {
        #expect(try await respond(method, path).headers[.allow] == allowed)
    }

    @Test func `a try too many is told when to come again`() async throws {
        #expect(try await respond(.get, "/busy").headers[.retryAfter] == "7")
    }

    @Test func `HEAD of a page is its head`() async throws {
        let response = try await respond(.head, "/ping")
        #expect(response.status == .ok)
        #expect(try await text(of: response) == "")
    }

    @Test(arguments: [
        (BodyTooLarge() as any Error, 413, "body too large"),
        (NIOTooManyBytesError(maxBytes: 1), 413, "body too large"),
        (HTTPParserError.invalidChunkSize, 400, "malformed request"),
        (HTTPError(.badRequest, message: "Coding key `secret` not found."), 400, "bad request"),
        (HTTPError(.unsupportedMediaType), 415, "unsupported media type"),
        (HTTPError(.badGateway, message: "secret"), 500, "internal error"),
        (CancellationError(), 500, "internal error"),
    ])
    func `an error that isn't ours shows its status at most`(error: any Error, status: Int, text: String) {
        let failure = HTTPFailure(translating: error)
        #expect(failure.status.code == status)
        #expect(failure.text == text)
    }

    @Test func `any text makes valid JSON`() throws {
        struct Body: Decodable {
            let error: String
        }
        let every =
            String(String.UnicodeScalarView((0...0x2FF).compactMap(Unicode.Scalar.init))) + "查無帳號 😀 e\u{301}\r\n"
        let body = HTTPFailure(.badRequest, every).body
        let decoded = try JSONDecoder().decode(Body.self, from: Data(body.readableBytesView))
        #expect(Array(decoded.error.utf8) == Array(every.utf8))
    }

    // MARK: Origins

    @Test(arguments: ["/ping", "/nowhere", "/rooms/1/members/2", "/ws", "/"])
    func `OPTIONS is answered on any path`(path: String) async throws {
        let response = try await respond(.options, path, origin: "https://a.example")
        #expect(response.status == .noContent)
        #expect(response.headers[.accessControlAllowOrigin] == "*")
        #expect(response.headers[.accessControlAllowMethods] == "GET, POST, PUT, DELETE, OPTIONS")
        #expect(response.headers[.accessControlAllowHeaders] == "Authorization, Content-Type")
        #expect(response.headers[.accessControlMaxAge] == "7200")
        #expect(response.headers[.vary] == nil)
    }

    @Test(
        arguments: [
            (open, nil, "/ping", 200, nil),
            (open, "http://localhost:3000", "/ping", 200, "http://localhost:3000"),
            (open, "http://localhost:3000", "/nowhere", 404, "http://localhost:3000"),
            (open, "https://evil.example", "/ping", 403, nil),
            (open, "https://evil.example", "/nowhere", 403, nil),
            (listed, nil, "/ping", 200, nil),
            (listed, "https://a.example", "/broken", 500, "https://a.example"),
            // A page that can't read the reply, and has no token to send.
            (listed, "https://evil.example", "/ping", 200, nil),
        ] as [(OriginPolicy, String?, String, Int, String?)]
    )
    func `a reply says which origin may read it`(
        policy: OriginPolicy,
        origin: String?,
        path: String,
        status: Int,
        allowed: String?
    ) async throws {
        let response = try await respond(.get, path, origin: origin, policy: policy)
        #expect(response.status.code == status)
        #expect(response.headers[.accessControlAllowOrigin] == allowed)
        #expect(response.headers[.vary] == "Origin")
    }

    @Test func `a page of another origin is not told that it may send`() async throws {
        let response = try await respond(.options, "/ping", origin: "https://evil.example", policy: Self.open)
        #expect(response.status == .noContent)
        #expect(response.headers[.accessControlAllowOrigin] == nil)
    }

    @Test func `a route knows the peer's address`() async throws {
        try await FrontServer.run { server in
            let client = try await RawClient.connect(port: server.port)
            try await client.send("GET /peer HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            #expect(Reply(try await client.receivedAll()).body == "127.0.0.1")
        }
    }

    /// Keeps what a body writes.
    private struct Collector: ResponseBodyWriter {
        let bytes = NIOLockedValueBox(ByteBuffer())

        func write(_ buffer: ByteBuffer) { _ = bytes.withLockedValue { $0.writeImmutableBuffer(buffer) } }

        consuming func finish(_ trailingHeaders: HTTPFields?) {}
    }
}
