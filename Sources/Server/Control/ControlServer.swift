import Foundation
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle

/// Takes commands over the Unix socket in the data folder, one a connection: a line in, lines out.
///
/// ```swift
/// let control = try await ControlServer.bind(in: folder, handlers: handlers)
/// try await control.run()   // until graceful shutdown, or the task is cancelled
/// ```
///
/// Nobody but the folder's owner reaches the socket.
final class ControlServer: Service {
    typealias Connection = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    private let listener: NIOAsyncChannel<Connection, Never>
    private let path: ControlSocketPath
    private let folder: DataFolder
    private let handlers: ControlHandlers
    private let logger: Logger

    private init(
        listener: NIOAsyncChannel<Connection, Never>,
        path: ControlSocketPath,
        folder: DataFolder,
        handlers: ControlHandlers,
        logger: Logger
    ) {
        self.listener = listener
        self.path = path
        self.folder = folder
        self.handlers = handlers
        self.logger = logger
    }

    /// Listens in `folder`; connections wait until ``run()``.
    ///
    /// The caller has the folder's lock (``DataFolderLock``), so a socket that is there is a dead process's.
    ///
    /// - Throws: What binding the socket throws.
    static func bind(
        in folder: DataFolder,
        handlers: ControlHandlers,
        group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        logger: Logger = Logger(label: "quipu.control")
    ) async throws -> ControlServer {
        let path = try ControlSocketPath(folder)
        let listener = try await ServerBootstrap(group: group)
            .bind(unixDomainSocketPath: path.path, cleanupExistingSocketFile: true) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(ByteToMessageHandler(ControlLineDecoder()))
                    return try Connection(wrappingChannelSynchronously: channel)
                }
            }
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: folder.controlSocket)
        return ControlServer(listener: listener, path: path, folder: folder, handlers: handlers, logger: logger)
    }

    /// Serves until graceful shutdown or the task is cancelled, then cancels what is under way and removes the socket.
    func run() async throws {
        await cancelWhenGracefulShutdown { await self.serve() }
        try? FileManager.default.removeItem(atPath: folder.controlSocket)
    }

    private func serve() async {
        do {
            try await listener.executeThenClose { connections in
                try await withThrowingDiscardingTaskGroup { group in
                    for try await connection in connections {
                        group.addTask { await self.serve(connection) }
                    }
                    group.cancelAll()
                }
            }
        } catch is CancellationError {
            return
        } catch {
            logger.error("the control socket has failed", metadata: ["error": "\(error)"])
        }
    }

    private func serve(_ connection: Connection) async {
        do {
            try await connection.executeThenClose { requests, replies in
                try await withThrowingTaskGroup { group in
                    var isAsked = false
                    for try await line in requests where !isAsked {
                        isAsked = true
                        group.addTask {
                            try await self.answer(line, replies)
                            try await connection.channel.close()
                        }
                    }
                    // Either the answer is out, or the command has gone away and needs none.
                    group.cancelAll()
                }
            }
        } catch is CancellationError {
            return
        } catch {
            // A command that was interrupted breaks its connection: nothing is wrong here.
            logger.debug("control connection ended", metadata: ["error": "\(error)"])
        }
    }

    private func answer(_ line: ByteBuffer, _ replies: NIOAsyncChannelOutboundWriter<ByteBuffer>) async throws {
        let request: ControlRequest
        do {
            request = try ControlLine.decode(line)
        } catch {
            // Never the line itself: it may hold a password's hash.
            try await reply(replies, ControlDone.self) {
                throw CommandFailure("the server doesn't know this request: use the quipu that the server runs")
            }
            return
        }
        switch request {
        case .ping: try await reply(replies) { ControlDone() }
        case .status: try await reply(replies) { try await self.handlers.status() }
        case .userAdd(let user): try await reply(replies) { try await self.handlers.userAdd(user) }
        case .replay(let views): try await reporting(replies) { try await self.handlers.replay(views, $0) }
        case .erase(let erasure): try await reporting(replies) { try await self.handlers.erase(erasure, $0) }
        }
    }

    private func reply<Result: Codable & Sendable>(
        _ replies: NIOAsyncChannelOutboundWriter<ByteBuffer>,
        _ type: Result.Type = Result.self,
        _ body: () async throws -> Result
    ) async throws {
        let line: ControlReply<Result>
        do {
            line = ControlReply(result: try await body())
        } catch {
            let failure = CommandFailure(error)
            line = ControlReply(error: .init(message: failure.message, exit: failure.status.rawValue))
        }
        try await replies.write(try ControlLine.encode(line))
    }

    private func reporting<Result: Codable & Sendable>(
        _ replies: NIOAsyncChannelOutboundWriter<ByteBuffer>,
        _ body: (@escaping ControlHandlers.Progress) async throws -> Result
    ) async throws {
        // A command that reads slowly gets the newest few reports, and the work waits for nobody.
        let (reports, progress) = AsyncStream.makeStream(of: ReplayProgress.self, bufferingPolicy: .bufferingNewest(4))
        try await withThrowingTaskGroup { group in
            group.addTask {
                for await report in reports {
                    try await replies.write(try ControlLine.encode(ControlReply<ControlDone>(progress: report)))
                }
            }
            let outcome: Swift.Result<Result, any Error>
            do {
                outcome = .success(try await body { progress.yield($0) })
            } catch {
                outcome = .failure(error)
            }
            // The last report goes out before the result does.
            progress.finish()
            try await group.waitForAll()
            try await reply(replies) { try outcome.get() }
        }
    }
}
