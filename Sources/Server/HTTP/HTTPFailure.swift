import HTTPTypes
import Hummingbird
import NIOCore
import NIOHTTP1

/// What a route throws to answer with an error: a status and a text that the client may see.
///
/// Anything else that a route throws becomes a 500 that says nothing.
struct HTTPFailure: Error, Hashable, Sendable {
    /// The two shapes of an error's body.
    enum Shape: Hashable, Sendable {
        /// `{"error":"…"}`.
        case error
        /// `{"data":false,"code":…,"msg":"…"}`, the seeds' for register and login; the code may differ from the status.
        case message(code: Int)
    }

    let status: HTTPResponse.Status
    let text: String
    let shape: Shape
    /// Whole seconds for the header Retry-After.
    let retryAfterSeconds: Int?
    /// The methods that the path has, for the header Allow of a 405.
    let allowedMethods: [HTTPRequest.Method]

    init(
        _ status: HTTPResponse.Status,
        _ text: String,
        shape: Shape = .error,
        retryAfterSeconds: Int? = nil,
        allowedMethods: [HTTPRequest.Method] = []
    ) {
        self.status = status
        self.text = text
        self.shape = shape
        self.retryAfterSeconds = retryAfterSeconds
        self.allowedMethods = allowedMethods
    }

    /// Translates what else may come out of Hummingbird: its own errors by their status, none by its text, which tells
    /// of Swift's types and keys.
    init(translating error: any Error) {
        switch error {
        case let failure as HTTPFailure: self = failure
        case is BodyTooLarge, is NIOTooManyBytesError: self.init(.contentTooLarge, "body too large")
        case is HTTPParserError: self.init(.badRequest, "malformed request")
        case let error as any HTTPResponseError where 400..<500 ~= error.status.code: self.init(status: error.status)
        default: self.init(status: .internalServerError)
        }
    }

    init(status: HTTPResponse.Status) {
        self.init(status, Self.texts[status.code] ?? status.reasonPhrase.lowercased())
    }

    private static let texts = [
        404: "not found", 405: "method not allowed", 413: "body too large", 500: "internal error",
    ]

    /// The body as JSON.
    var body: ByteBuffer {
        var body = ByteBuffer()
        switch shape {
        case .error: body.writeString("{\"error\":")
        case .message(let code): body.writeString("{\"data\":false,\"code\":\(code),\"msg\":")
        }
        body.writeJSONString(text)
        body.writeString("}")
        return body
    }

    /// The reply.
    var response: Response {
        var headers: HTTPFields = [.contentType: Self.contentType]
        if let retryAfterSeconds { headers[.retryAfter] = String(retryAfterSeconds) }
        if !allowedMethods.isEmpty { headers[.allow] = allowedMethods.map(\.rawValue).joined(separator: ", ") }
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: body))
    }

    /// The Content-Type of every body here.
    static let contentType = "application/json; charset=utf-8"
}

/// The request's body has more than `limits.http_body_bytes`.
struct BodyTooLarge: Error {}
