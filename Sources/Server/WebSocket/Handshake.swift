internal import Crypto
internal import Foundation
import NIOHTTP1

/// What a request's head means for the WebSocket (RFC 6455, section 4.2).
enum HandshakeRequest: Equatable, Sendable {
    /// It asks for no WebSocket; HTTP's routes answer.
    case plain
    case webSocket(Handshake)
    case refused(HandshakeRefusal)

    init(_ head: HTTPRequestHead) {
        let upgrades = head.headers.tokens("Upgrade")
        let asks = upgrades.contains { $0.lowercased() == "websocket" }
        guard asks || head.headers.contains(name: "Sec-WebSocket-Key") else {
            self = .plain
            return
        }
        do {
            self = .webSocket(try Handshake(head))
        } catch {
            self = .refused(error)
        }
    }
}

/// Why a WebSocket is refused before anybody asks who wants it.
struct HandshakeRefusal: Error, Equatable, Sendable {
    let status: HTTPResponseStatus
    /// What is wrong and what to do, for the developer of the client.
    let reason: String
    /// Headers that the answer must have.
    let headers: HTTPHeaders

    fileprivate static func badRequest(_ reason: String) -> HandshakeRefusal {
        .init(status: .badRequest, reason: reason, headers: [:])
    }

    fileprivate static let wrongVersion = HandshakeRefusal(
        status: .upgradeRequired,
        reason: "the only version of WebSocket here is 13 (RFC 6455): send Sec-WebSocket-Version: 13, once",
        headers: ["Sec-WebSocket-Version": "13", "Upgrade": "websocket"]
    )
}

/// A client's half of the opening handshake, checked.
struct Handshake: Equatable, Sendable {
    /// What Sec-WebSocket-Accept must say.
    let acceptKey: String
    /// What the client offers in Sec-WebSocket-Protocol, in its order.
    let subprotocols: [String]
    let target: RequestTarget

    /// The token in the pair `bearer, TOKEN` of subprotocols, by which a browser authenticates; answer with `bearer`.
    var bearerToken: String? {
        guard let index = subprotocols.firstIndex(of: "bearer"), index + 1 < subprotocols.count else { return nil }
        return subprotocols[index + 1]
    }

    /// The headers of the 101 that completes the handshake.
    ///
    /// - Parameter subprotocol: One of ``subprotocols``, or nil for none.
    /// - Returns: All that the RFC wants; more may be added.
    func responseHeaders(subprotocol: String?) -> HTTPHeaders {
        var headers: HTTPHeaders = [
            "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Accept": acceptKey,
        ]
        if let subprotocol { headers.add(name: "Sec-WebSocket-Protocol", value: subprotocol) }
        return headers
    }

    fileprivate init(_ head: HTTPRequestHead) throws(HandshakeRefusal) {
        guard head.method == .GET else { throw .badRequest("a WebSocket handshake must be a GET request") }
        guard head.version == .http1_1 else { throw .badRequest("a WebSocket handshake must be HTTP/1.1") }
        guard head.headers["Host"].count == 1 else { throw .badRequest("a request must have one Host header") }
        let lengths = head.headers["Content-Length"]
        guard !head.headers.contains(name: "Transfer-Encoding"), lengths.allSatisfy({ $0.allSatisfy { $0 == "0" } })
        else {
            throw .badRequest("a WebSocket handshake must not have a body")
        }
        guard head.headers.tokens("Upgrade").contains(where: { $0.lowercased() == "websocket" }) else {
            throw .badRequest("the header 'Upgrade: websocket' is missing; a proxy in between may have to pass it on")
        }
        guard head.headers.tokens("Connection").contains(where: { $0.lowercased() == "upgrade" }) else {
            throw .badRequest("the header 'Connection: Upgrade' is missing; a proxy in between may have to pass it on")
        }
        guard head.headers.tokens("Sec-WebSocket-Version") == ["13"] else { throw .wrongVersion }
        let keys = head.headers.tokens("Sec-WebSocket-Key")
        guard let key = keys.first, keys.count == 1, Self.isKey(key) else {
            throw .badRequest("a WebSocket handshake must have one Sec-WebSocket-Key, 16 bytes in base64")
        }
        acceptKey = Self.acceptKey(for: key)
        subprotocols = head.headers.tokens("Sec-WebSocket-Protocol")
        do {
            target = try RequestTarget(head.uri)
        } catch {
            throw .badRequest(error.description)
        }
    }

    /// 16 bytes are 22 characters and two of padding.
    private static func isKey(_ key: String) -> Bool {
        key.utf8.count == 24 && key.hasSuffix("==")
            && key.utf8.prefix(22).allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"):
                    true
                default: false
                }
            }
    }

    /// SHA-1 as the RFC wants it; it only shows that the server speaks WebSocket and protects nothing.
    private static func acceptKey(for key: String) -> String {
        let digest = Insecure.SHA1.hash(data: Data((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8))
        return Data(digest).base64EncodedString()
    }
}

extension String {
    /// Whether it stands for itself in a list.
    fileprivate var isListElement: Bool {
        !isEmpty && utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: ",") }
    }
}

extension HTTPHeaders {
    /// The elements of a header that is a list, over all its lines, without the empty ones.
    fileprivate func tokens(_ name: String) -> [String] {
        let lines = self[name]
        // Mostly each is one element already; to take lists apart is slow.
        if lines.allSatisfy(\.isListElement) { return lines }
        return self[canonicalForm: name].compactMap { $0.isEmpty ? nil : String($0) }
    }
}
