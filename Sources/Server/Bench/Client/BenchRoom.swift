import Broker
import Foundation
import NIOCore
import NIOPosix

/// Makes the room of a benchmark over HTTP, as any client would.
enum BenchRoom {
    private struct Request: Encodable {
        var name: String
        var members: [String]
    }

    private struct Reply: Decodable {
        struct Room: Decodable { var id: String }
        var data: Room
    }

    private static let replyBytes = 16 << 20

    static func make(members: [String], owner: String, at address: BenchAddress) async throws -> RoomID {
        let body = try JSONEncoder().encode(Request(name: "fanout", members: members))
        let head =
            "POST /rooms?account=\(owner) HTTP/1.1\r\nHost: \(address)\r\nContent-Type: application/json\r\n"
            + "Content-Length: \(body.count)\r\nConnection: close\r\n\r\n"
        let reply = try await exchange(ByteBuffer(bytes: Data(head.utf8) + body), at: address)
        let view = reply.readableBytesView
        guard view.starts(with: "HTTP/1.1 201 ".utf8), let end = view.firstRange(of: [13, 10, 13, 10]),
            let decoded = try? JSONDecoder().decode(Reply.self, from: Data(view[end.upperBound...])),
            let room = RoomID(decoded.data.id)
        else {
            let text = String(decoding: view.prefix(500), as: UTF8.self)
            throw BenchFailure("no room could be made: \(text)")
        }
        return room
    }

    /// Sends `request` and reads until the server closes.
    private static func exchange(_ request: ByteBuffer, at address: BenchAddress) async throws -> ByteBuffer {
        let connection = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: address.host, port: address.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await connection.executeThenClose { inbound, outbound in
            try await outbound.write(request)
            var reply = ByteBuffer()
            for try await part in inbound {
                reply.writeImmutableBuffer(part)
                guard reply.readableBytes <= replyBytes else { break }
            }
            return reply
        }
    }
}
