import NIOCore
import NIOHTTP1

/// What becomes of a request that asks for a WebSocket.
enum UpgradeDecision: Sendable {
    /// It is for the routes after all.
    case http
    /// The status, with more headers and a body of JSON. The gate adds Content-Length, Connection and what the
    /// ``OriginPolicy`` wants.
    case refuse(HTTPResponseStatus, HTTPHeaders, body: ByteBuffer)
    /// 101 with all of these headers, `Sec-WebSocket-Accept` among them. `install` then adds the WebSocket's handlers
    /// to the channel, on its event loop; they find the channel active, may write at once, and next read what followed
    /// the handshake.
    case accept(HTTPHeaders, install: @Sendable (any Channel) throws -> Void)

    /// Refuses with `{"error":"…"}`.
    static func refuse(_ failure: HTTPFailure, headers: HTTPHeaders = [:]) -> UpgradeDecision {
        let (head, body) = failure.parts(headers: [])
        var headers = headers
        headers.add(contentsOf: head.headers)
        return .refuse(head.status, headers, body: body)
    }
}
