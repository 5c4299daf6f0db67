import Dispatch
import Foundation

/// `quipu serve` in a process of its own, in mode `open` on a free port of 127.0.0.1: its memory and processor time are
/// the server's alone.
struct ChildServer: BenchServer {
    let port: Int
    let process: ProcessFigures
    private let child: Process

    private static let startSeconds = 30
    /// More than it ever needs.
    private static let stopSeconds = 20

    /// Starts this same binary and returns when it listens.
    static func start(in folder: DataFolder, on cores: BenchCores? = nil) async throws -> ChildServer {
        try folder.make()
        let arguments = ["serve", "--data", folder.path, "--auth", "open", "--port", "0"]
        let child = BenchCores.process(arguments, on: cores)
        // No configuration of whoever runs the benchmark: its figures are those of the defaults.
        child.currentDirectoryURL = folder.url
        var environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix(Setting.environmentPrefix) }
        environment["QUIPU_SERVER_DRAIN_SECONDS"] = "0"
        environment["QUIPU_LOGGING_LEVEL"] = "warning"
        // As many as there are cores for it, which is what it would do on a machine of one.
        if cores != nil { environment["QUIPU_SERVER_EVENT_LOOPS"] = "1" }
        child.environment = environment
        child.standardInput = FileHandle.nullDevice
        child.standardOutput = FileHandle.nullDevice
        do {
            try child.run()
        } catch {
            throw CommandFailure("the server can't be started: \(error.shortDescription)")
        }
        do {
            return ChildServer(
                port: try await port(of: child, folder),
                process: ProcessFigures(pid: child.processIdentifier),
                child: child
            )
        } catch {
            await end(child)
            throw error
        }
    }

    /// Starts one, runs `body` and stops it.
    static func with<Result>(
        _ folder: DataFolder,
        on cores: BenchCores? = nil,
        _ body: (ChildServer) async throws -> Result
    ) async throws -> Result {
        let server = try await start(in: folder, on: cores)
        do {
            let result = try await body(server)
            await server.stop()
            return result
        } catch {
            await server.stop()
            throw error
        }
    }

    /// The lock file says where it serves.
    private static func port(of child: Process, _ folder: DataFolder) async throws -> Int {
        let deadline = ContinuousClock.now + .seconds(startSeconds)
        while ContinuousClock.now < deadline, child.isRunning {
            if let holder = DataFolderLock.holder(of: folder), holder.pid == child.processIdentifier,
                let address = holder.address, let port = address.split(separator: ":").last.flatMap({ Int($0) })
            {
                return port
            }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw CommandFailure("the server ended before it listened")
    }

    /// Stops it and returns when it has ended, also in a task that is cancelled: its folder may be removed then.
    func stop() async { await Self.end(child) }

    private static func end(_ child: Process) async {
        child.terminate()
        DispatchQueue.global().asyncAfter(deadline: .now() + .seconds(stopSeconds)) {
            if child.isRunning { kill(child.processIdentifier, SIGKILL) }
        }
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                child.waitUntilExit()
                continuation.resume()
            }
        }
    }
}
