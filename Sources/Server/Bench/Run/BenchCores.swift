import Foundation

/// Which core the server of a benchmark runs on, and which the load: what one does then costs the other nothing.
struct BenchCores: Equatable, Sendable {
    var server: Int
    var load: Int

    private static let tool = "/usr/bin/taskset"

    /// The first two that this process might use when it began; nil if there are no two, or no tool to bind a process
    /// to them.
    static let available: BenchCores? = {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        guard FileManager.default.isExecutableFile(atPath: tool) else { return nil }
        return BenchCores(status: status)
    }()

    /// Reads them from what the kernel says of a process.
    init?(status: String) {
        let name = "Cpus_allowed_list:"
        guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix(name) }) else { return nil }
        var cores: [Int] = []
        for part in line.dropFirst(name.count).split(separator: ",") {
            let ends = part.split(separator: "-").compactMap { Int($0.trimmingCharacters(in: .whitespaces)) }
            guard let first = ends.first, let last = ends.last, first <= last else { continue }
            cores += (first...last).prefix(2)
        }
        guard cores.count >= 2 else { return nil }
        (server, load) = (cores[0], cores[1])
    }

    /// Binds this process, all its threads and those to come.
    ///
    /// By the command of util-linux: the call itself takes a pointer.
    func bindLoad() {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Self.tool)
        process.arguments = ["-acp", "\(load)", "\(getpid())"]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return }
        process.waitUntilExit()
    }

    /// This same binary as a process to be started with `arguments`, on the server's core if `cores` says which.
    ///
    /// taskset becomes the program that it starts, so the process's id is that of the server.
    static func process(_ arguments: [String], on cores: BenchCores?) -> Process {
        let process = Process()
        let own = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        if let cores {
            process.executableURL = URL(fileURLWithPath: tool)
            process.arguments = ["-c", "\(cores.server)", own.path] + arguments
        } else {
            process.executableURL = own
            process.arguments = arguments
        }
        return process
    }
}
