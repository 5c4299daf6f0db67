import Foundation

/// How many files and sockets this process may have open: a benchmark has thousands.
enum FileDescriptors {
    /// Raises the limit of this process, and of those that it starts, to at least `count` if it is lower.
    ///
    /// - Throws: ``CommandFailure`` if it can't be had.
    static func require(_ count: Int) throws {
        guard let limits = limits(), limits.soft < count else { return }
        if count <= limits.hard { raise(to: count, limits) }
        guard let now = self.limits(), now.soft < count else { return }
        throw CommandFailure(
            "this needs \(count.grouped) open files and sockets, and the process may have \(now.soft.grouped): "
                + "run `ulimit -n \(count)` first, or ask for fewer clients"
        )
    }

    /// By the command of util-linux: the call itself takes a pointer.
    private static func raise(to count: Int, _ limits: (soft: Int, hard: Int)) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/prlimit")
        process.arguments = ["--pid", String(getpid()), "--nofile=\(count):\(limits.hard)"]
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return }
        process.waitUntilExit()
    }

    /// Nil where the kernel doesn't say.
    private static func limits() -> (soft: Int, hard: Int)? {
        guard let text = try? String(contentsOfFile: "/proc/self/limits", encoding: .utf8) else { return nil }
        return parse(text)
    }

    static func parse(_ limits: String) -> (soft: Int, hard: Int)? {
        let name = "Max open files"
        guard let line = limits.split(separator: "\n").first(where: { $0.hasPrefix(name) }) else { return nil }
        let words = line.dropFirst(name.count).split(separator: " ").prefix(2)
        let numbers = words.compactMap { $0 == "unlimited" ? Int.max : Int($0) }
        return numbers.count == 2 ? (numbers[0], numbers[1]) : nil
    }
}
