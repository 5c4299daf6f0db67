import Foundation

/// `quipu bench floor sockets` or `answers`, running.
struct FloorServer: Sendable {
    let target: BenchTarget
    private let child: Process
    private let orders: FileHandle

    /// Starts one, runs `body` and ends it.
    static func with<Value>(
        _ command: String,
        _ arguments: [String],
        on cores: BenchCores?,
        _ body: (FloorServer) async throws -> Value
    ) async throws -> Value {
        let child = BenchCores.process(["bench", "floor", command] + arguments, on: cores)
        let (input, output) = (Pipe(), Pipe())
        child.standardInput = input
        child.standardOutput = output
        do {
            try child.run()
        } catch {
            throw CommandFailure("a process of the benchmark can't be started: \(error.shortDescription)")
        }
        defer {
            // SIGTERM wouldn't do: a child has those signals blocked that the thread which starts it has, and
            // Dispatch's threads have nearly all.
            kill(child.processIdentifier, SIGKILL)
            child.waitUntilExit()
        }
        // Its first line is the port.
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        guard let port = Int(line.trimmingCharacters(in: .whitespacesAndNewlines)) else {
            throw CommandFailure("a process of the benchmark ended before it listened")
        }
        let process = ProcessFigures(pid: child.processIdentifier)
        let target = BenchTarget(address: BenchAddress(port: port), process: process)
        return try await body(FloorServer(target: target, child: child, orders: input.fileHandleForWriting))
    }

    /// Lets it do the next thing: to write everything, then to say good-bye.
    func go() throws { try orders.write(contentsOf: Data([10])) }
}
