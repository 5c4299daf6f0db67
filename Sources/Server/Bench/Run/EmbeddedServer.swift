import Broker
import Foundation
import Logging
import NIOCore
import ServiceLifecycle

/// A real server in this process, in mode `open` on a free port of 127.0.0.1: what most benchmarks run against.
struct EmbeddedServer: BenchServer {
    let port: Int
    private let server: QuipuServer
    private let running: Task<Void, any Error>
    private let stopping: AsyncStream<Void>.Continuation
    private let lock: DataFolderLock

    var log: EventLog { server.services.broker.log }
    var process: ProcessFigures { .own }
    var services: SessionServices { server.services }

    /// Returns when it listens.
    ///
    /// - Parameter configure: Changes its settings.
    static func start(
        in folder: DataFolder,
        configure: (inout Settings) -> Void = { _ in }
    ) async throws -> EmbeddedServer {
        var settings = Settings()
        settings.server.port = 0
        settings.server.data = folder.path
        settings.server.drainSeconds = 0
        settings.auth.mode = .open
        configure(&settings)
        let lock = try DataFolderLock(folder, command: "quipu bench")
        var logger = Logger(label: "quipu") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = .warning
        let server = try await QuipuServer(settings: settings, folder: folder, logger: logger)

        // A service that ends ends the server, in good order.
        let (stopped, stopping) = AsyncStream.makeStream(of: Void.self)
        let (ports, started) = AsyncThrowingStream.makeStream(of: Int.self)
        let running = Task {
            do {
                try await server.run(stopOn: [], with: [UntilStopped(stopped: stopped)]) { address in
                    started.yield(address.port ?? 0)
                }
                started.finish()
            } catch {
                started.finish(throwing: error)
                throw error
            }
        }
        for try await port in ports {
            return EmbeddedServer(port: port, server: server, running: running, stopping: stopping, lock: lock)
        }
        throw CommandFailure("the server ended before it listened")
    }

    /// Starts one, runs `body` and stops it.
    static func with<Result>(
        _ folder: DataFolder,
        configure: (inout Settings) -> Void = { _ in },
        _ body: (EmbeddedServer) async throws -> Result
    ) async throws -> Result {
        let server = try await start(in: folder, configure: configure)
        do {
            let result = try await body(server)
            await server.stop()
            return result
        } catch {
            await server.stop()
            throw error
        }
    }

    /// What its sockets hold and wait for, right now.
    func counters() async throws -> SessionCounters { try await server.dispatchers.counters() }

    /// Stops it and returns when it has.
    func stop() async {
        stopping.finish()
        _ = try? await running.value
    }
}

private struct UntilStopped: Service {
    let stopped: AsyncStream<Void>

    func run() async { await cancelWhenGracefulShutdown { for await _ in stopped {} } }
}
