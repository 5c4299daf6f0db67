import Broker
import Foundation
import NIOCore
import Logging

/// A real server in this process, in mode `open` on a free port of 127.0.0.1: what the benchmarks run against.
struct EmbeddedServer: BenchServer {
    let port: Int
    let log: EventLog
    private let running: Task<Void, any Error>
    private let lock: DataFolderLock

    /// Returns when it listens.
    static func start(in folder: DataFolder) async throws -> EmbeddedServer {
        var settings = Settings()
        settings.server.port = 0
        settings.server.data = folder.path
        settings.server.drainSeconds = 0
        settings.auth.mode = .open
        let lock = try DataFolderLock(folder, command: "quipu bench")
        var logger = Logger(label: "quipu") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = .warning
        let server = try await QuipuServer(settings: settings, folder: folder, logger: logger)

        let (ports, started) = AsyncThrowingStream.makeStream(of: Int.self)
        let running = Task {
            do {
                try await server.run(stopOn: []) { address in started.yield(address.port ?? 0) }
                started.finish()
            } catch {
                started.finish(throwing: error)
                throw error
            }
        }
        for try await port in ports {
            return EmbeddedServer(port: port, log: server.services.broker.log, running: running, lock: lock)
        }
        throw CommandFailure("the server ended before it listened")
    }

    /// Stops it and returns when it has.
    func stop() async {
        running.cancel()
        _ = try? await running.value
    }
}
