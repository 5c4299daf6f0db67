import Foundation

/// What a process uses, as the kernel counts it (proc(5)).
struct ProcessFigures: Equatable, Sendable {
    let pid: Int32

    static let own = ProcessFigures(pid: getpid())

    /// The processor time of all its threads since it began, user and system; the kernel counts in ticks, of 10,000 µs
    /// mostly.
    ///
    /// - Throws: ``BenchFailure`` if it is gone.
    func cpuMicroseconds() throws -> Int {
        let text = try read("stat")
        // The name, in parentheses, may have anything in it.
        let fields = text[(text.lastIndex(of: ")") ?? text.startIndex)...].split(separator: " ")
        guard fields.count > 13, let user = Int(fields[12]), let system = Int(fields[13]) else { throw unreadable }
        return (user + system) * (1_000_000 / Int(sysconf(Int32(_SC_CLK_TCK))))
    }

    /// The memory that it has in use, shared pages too.
    ///
    /// - Throws: ``BenchFailure`` if it is gone.
    func residentBytes() throws -> Int {
        let line = try read("status").split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        guard let words = line?.split(separator: " "), words.count > 1, let kibibytes = Int(words[1]) else {
            throw unreadable
        }
        return kibibytes << 10
    }

    private func read(_ file: String) throws -> String {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/\(file)", encoding: .utf8) else { throw unreadable }
        return text
    }

    private var unreadable: BenchFailure { BenchFailure("the figures of process \(pid) can't be read: has it ended?") }
}
