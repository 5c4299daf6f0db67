import NIOCore
import NIOPosix

/// Asks the server that has a data folder to do something.
struct ControlClient: Sendable {
    typealias Connection = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    let folder: DataFolder

    /// There is no server at the socket.
    struct NotReachable: Error {}

    /// Sends `request` and waits for its result, however long that takes.
    ///
    /// - Throws: ``CommandFailure`` with what the server says; ``NotReachable``.
    func ask<Result: Codable & Sendable>(
        _ request: ControlRequest,
        for type: Result.Type = Result.self,
        progress: (ReplayProgress) -> Void = { _ in }
    ) async throws -> Result {
        let path = try ControlSocketPath(folder)
        let connection: Connection
        do {
            connection = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connect(unixDomainSocketPath: path.path) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(ByteToMessageHandler(ControlLineDecoder()))
                        return try Connection(wrappingChannelSynchronously: channel)
                    }
                }
        } catch {
            throw NotReachable()
        }
        return try await connection.executeThenClose { replies, requests in
            try await requests.write(try ControlLine.encode(request))
            for try await line in replies {
                let reply = try ControlLine.decode(line, as: ControlReply<Result>.self)
                if let report = reply.progress { progress(report) }
                if let error = reply.error {
                    throw CommandFailure(error.message, status: .init(rawValue: error.exit) ?? .failure)
                }
                if let result = reply.result { return result }
            }
            throw CommandFailure("the server has gone away before it was done")
        }
    }
}
