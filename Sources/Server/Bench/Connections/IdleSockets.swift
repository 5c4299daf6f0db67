import Foundation
import RawSockets
import Synchronization

/// WebSockets that are opened one after the other and then do nothing, each a bare socket: an event loop's client would
/// cost more than the server does.
///
/// Blocks while it works, so on a thread of its own.
final class IdleSockets: Sendable {
    private let address: BenchAddress
    /// Whether each is told something when it is open.
    private let isGreeted: Bool
    private let open = Mutex<[Socket]>([])
    private let answers = Atomic<Int>(0)

    /// A connection, and what has come on it that nobody has looked at yet.
    private final class Socket: Sendable {
        let connection: RawConnection
        let name: String
        let unread = Mutex<[UInt8]>([])

        init(_ connection: RawConnection, _ name: String) {
            self.connection = connection
            self.name = name
        }
    }

    private static let readBytes = 4096

    init(at address: BenchAddress, isGreeted: Bool) {
        self.address = address
        self.isGreeted = isGreeted
    }

    /// Sockets opened and pings answered, so far.
    var progress: Int { answers.load(ordering: .relaxed) }

    /// Opens the sockets of `paths`: connects and asks for all, then takes the answers.
    ///
    /// - Throws: ``BenchFailure`` if one is refused, or not answered in 30 seconds.
    func open(_ paths: [String]) async throws {
        try await onThread { [self] in
            let sockets = try paths.map { path in
                let socket = Socket(try RawConnection(host: address.host, port: address.port), path)
                let request =
                    "GET \(path) HTTP/1.1\r\nHost: \(address)\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
                try socket.connection.write(Array(request.utf8).span)
                return socket
            }
            for socket in sockets {
                try readHead(socket)
                if isGreeted {
                    let greeting = try readFrame(socket, .text)
                    guard BenchReply(greeting.span).code == Outbound.Code.success.rawValue else {
                        throw BenchFailure.unexpected(greeting.span)
                    }
                }
                answers.add(1, ordering: .relaxed)
            }
            open.withLock { $0 += sockets }
        }
    }

    /// Asks each whether it is still there: it isn't only the kernel that holds it.
    ///
    /// - Throws: ``BenchFailure`` if one doesn't answer.
    func ping() async throws {
        let sockets = open.withLock { $0 }
        try await onThread { [self] in
            let ping = BenchFrame.bytes(.ping, [], key: 0)
            for socket in sockets {
                try socket.connection.write(ping.span)
                _ = try readFrame(socket, .pong)
                answers.add(1, ordering: .relaxed)
            }
        }
    }

    private func readHead(_ socket: Socket) throws {
        try socket.unread.withLock { unread in
            while true {
                if let end = unread.firstRange(of: [13, 10, 13, 10]) {
                    guard unread.starts(with: "HTTP/1.1 101 ".utf8) else {
                        let text = String(decoding: unread.prefix(500), as: UTF8.self)
                        throw BenchFailure("\(socket.name): the server refused: \(text)")
                    }
                    unread.removeFirst(end.upperBound)
                    return
                }
                try Self.readMore(socket, &unread)
            }
        }
    }

    /// The payload of the next frame with `opcode`; pings of the server between are passed over.
    private func readFrame(_ socket: Socket, _ opcode: BenchFrame.Opcode) throws -> [UInt8] {
        try socket.unread.withLock { unread in
            while true {
                if let header = try BenchFrame.header(in: unread.span), unread.count >= header.frameBytes {
                    let payload = Array(unread[header.headerBytes..<header.frameBytes])
                    unread.removeFirst(header.frameBytes)
                    if header.opcode == opcode { return payload }
                    guard header.opcode == .ping else { throw BenchFailure.unexpected(payload.span) }
                } else {
                    try Self.readMore(socket, &unread)
                }
            }
        }
    }

    private static func readMore(_ socket: Socket, _ unread: inout [UInt8]) throws {
        do {
            guard try socket.connection.read(atMost: readBytes, to: &unread) else {
                throw BenchFailure("\(socket.name): the server has closed the connection")
            }
        } catch let error as RawSocketError {
            throw BenchFailure("\(socket.name): \(error)")
        }
    }

    private func onThread(_ body: @escaping @Sendable () throws -> Void) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            DispatchQueue.global().async { continuation.resume(with: Result { try body() }) }
        }
    }
}
