import Foundation

/// Where a benchmark's server runs, without which its figures mean nothing.
struct BenchSetting: Encodable, Equatable, Sendable {
    /// `own`, or the URL of another.
    var server: String
    /// The cores that server and load are bound to; nil where they aren't.
    var server_core: Int?
    var load_core: Int?
    /// Whether an acknowledged message is on disk; nil of a server that isn't the benchmark's own, for who knows how
    /// it was started.
    var fsync: Bool?
    /// Of the log; nil of another server's.
    var file_system: String?
    var has_process = true

    /// Of a server of its own, with its data in `folder`.
    static func own(on cores: BenchCores?, in folder: DataFolder) -> BenchSetting {
        let mounts = (try? String(contentsOfFile: "/proc/self/mounts", encoding: .utf8)) ?? ""
        return BenchSetting(
            server: "own",
            server_core: cores?.server,
            load_core: cores?.load,
            fsync: true,
            file_system: fileSystem(of: folder.path, mounts: mounts)
        )
    }

    var lines: [String] {
        var lines: [String] = []
        if server == "own" {
            lines.append(
                "a server of its own, every commit flushed to disk (\(file_system ?? "unknown file system")) before it "
                    + "is acknowledged; "
                    + (server_core.map { "server on core \($0), load on core \(load_core ?? $0)" }
                        ?? "server and load on any core")
            )
        } else {
            lines.append("the server at \(server), whose settings are its own")
            if !has_process {
                lines.append("its processor time, memory and disk aren't known: give --pid if it runs on this machine")
            }
        }
        if let file_system, ["tmpfs", "ramfs"].contains(file_system) {
            lines.append("\(file_system) is no disk, and nothing on it durable: name a folder on one with --folder")
        }
        return lines
    }

    /// The kind of file system that `folder` is on, by the list of mounts as the kernel prints it.
    static func fileSystem(of folder: String, mounts: String) -> String? {
        var found: (point: String, kind: String)?
        for line in mounts.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count > 2 else { continue }
            // The kernel writes a space as an octal escape.
            let point = fields[1].replacing("\\040", with: " ")
            let isAbove = point == "/" || folder == point || folder.hasPrefix(point + "/")
            // Of two on one point the later one is seen.
            if isAbove, point.count >= found?.point.count ?? 0 { found = (String(point), String(fields[2])) }
        }
        return found?.kind
    }
}
