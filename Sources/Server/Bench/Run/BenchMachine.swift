import ArgumentParser
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

    /// This machine and this binary.
    static let current = BenchMachine(
        cpu: model(in: (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""),
        cores: ProcessInfo.processInfo.activeProcessorCount,
        memory_bytes: ProcessInfo.processInfo.physicalMemory,
        system: ProcessInfo.processInfo.operatingSystemVersionString,
        kernel: firstLine(of: "/proc/sys/kernel/osrelease"),
        version: Quipu.configuration.version,
        build: buildKind
    )

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
            "quipu \(version), \(build) build\(warning)",
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
