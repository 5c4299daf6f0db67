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
    func residentBytes() throws -> Int { try number("VmRSS:", in: "status") << 10 }

    /// The most memory that it ever had in use, or since ``forgetPeak()``.
    ///
    /// - Throws: ``BenchFailure`` if it is gone.
    func peakResidentBytes() throws -> Int { try number("VmHWM:", in: "status") << 10 }

    /// The memory that it shares with nobody, and would be free without it (USS).
    ///
    /// - Throws: ``BenchFailure`` if it is gone, or another user's.
    func privateBytes() throws -> Int {
        try number("Private_Clean:", in: "smaps_rollup") << 10
            + number("Private_Dirty:", in: "smaps_rollup") << 10
    }

    /// What it has caused to be written to disks.
    ///
    /// - Throws: ``BenchFailure`` if it is gone, or another user's.
    func writtenBytes() throws -> Int { try number("write_bytes:", in: "io") }

    /// Counts the peak of the memory anew (proc(5), `clear_refs`).
    func forgetPeak() { try? Data("5".utf8).write(to: URL(fileURLWithPath: "/proc/\(pid)/clear_refs")) }

    /// The number of a line, in whatever unit it has there.
    private func number(_ name: String, in file: String) throws -> Int {
        let line = try read(file).split(separator: "\n").first { $0.hasPrefix(name) }
        guard let words = line?.split(separator: " "), words.count > 1, let number = Int(words[1]) else {
            throw unreadable
        }
        return number
    }

    private func read(_ file: String) throws -> String {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/\(file)", encoding: .utf8) else { throw unreadable }
        return text
    }

    private var unreadable: BenchFailure { BenchFailure("the figures of process \(pid) can't be read: has it ended?") }
}
