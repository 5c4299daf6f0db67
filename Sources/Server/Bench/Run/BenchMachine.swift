import ArgumentParser
import Broker
import Foundation

/// What a benchmark ran on and with, without which its figures mean nothing.
struct BenchMachine: Encodable, Equatable, Sendable {
    var cpu: String
    var cores: Int
    var memory_bytes: UInt64
    var system: String
    var kernel: String
    var version: String
    var build: String
    var swift: String
    var lmdb: String
    /// Of the sources, if the binary lies in the folder that it was built in; `-dirty` if they have been changed since.
    var commit: String?

    /// This machine and this binary.
    static let current = BenchMachine(
        cpu: model(in: (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""),
        cores: ProcessInfo.processInfo.activeProcessorCount,
        memory_bytes: ProcessInfo.processInfo.physicalMemory,
        system: ProcessInfo.processInfo.operatingSystemVersionString,
        kernel: firstLine(of: "/proc/sys/kernel/osrelease"),
        version: Quipu.configuration.version,
        build: buildKind,
        swift: swiftVersion,
        lmdb: EventLog.storeVersion,
        commit: commit(of: URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath())
    )

    private static var swiftVersion: String {
        #if compiler(>=6.4)
        "6.4 or later"
        #else
        "6.3"
        #endif
    }

    /// The commit that is checked out where `binary` was built; nil if it lies in no such place.
    static func commit(of binary: URL) -> String? {
        guard binary.pathComponents.contains(".build") else { return nil }
        func git(_ arguments: String...) -> String? {
            let process = Process()
            let output = Pipe()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/git")
            process.arguments = ["-C", binary.deletingLastPathComponent().path] + arguments
            process.standardOutput = output
            process.standardError = FileHandle.nullDevice
            guard (try? process.run()) != nil else { return nil }
            let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            return process.terminationStatus == 0 ? text.trimmingCharacters(in: .whitespacesAndNewlines) : nil
        }
        guard let commit = git("rev-parse", "--short=12", "HEAD") else { return nil }
        let changes = git("status", "--porcelain", "--untracked-files=no") ?? ""
        return commit + (changes.isEmpty ? "" : "-dirty")
    }

    private static var buildKind: String {
        #if DEBUG
        "debug"
        #else
        "release"
        #endif
    }

    /// For people.
    var lines: [String] {
        let memory = String(format: "%.1f", Double(memory_bytes) / Double(1 << 30))
        let warning = build == "debug" ? ", which is many times slower than a release build" : ""
        return [
            "machine: \(cpu), \(cores) cores, \(memory) GiB, \(system), Linux \(kernel)",
            "quipu \(version)\(commit.map { " of commit \($0)" } ?? ""), \(build) build\(warning); Swift \(swift), "
                + "LMDB \(lmdb)",
        ]
    }

    static func model(in cpuInfo: String) -> String {
        let line = cpuInfo.split(separator: "\n").first { $0.hasPrefix("model name") }
        let name = line?.split(separator: ":", maxSplits: 1).last?.trimmingCharacters(in: .whitespaces)
        return name ?? "unknown processor"
    }

    private static func firstLine(of file: String) -> String {
        let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? "?"
        return text.split(separator: "\n").first.map(String.init) ?? "?"
    }
}
