import ArgumentParser
import Foundation

/// What all benchmarks of several rounds are told: against which server, and how often.
struct BenchOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Measure the server at ws://host:port, in mode open, instead of one of its own."))
    var url: String?

    @Option(help: ArgumentHelp("With --url: the server's process on this machine, to see what it uses."))
    var pid: Int32?

    @Flag(inversion: .prefixedNo, help: "Bind the server to one core and the load to another, if there are two.")
    var pin = true

    @Option(help: ArgumentHelp("How often it is measured.", valueName: "n"))
    var rounds = 3

    @Option(
        help: ArgumentHelp(
            "Where the data of its own server lies meanwhile (default: the system's folder for temporary files).",
            valueName: "dir"
        )
    )
    var folder: String?

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        if let url, BenchAddress(url: url) == nil { throw ValidationError("--url must be ws://host:port.") }
        if pid != nil, url == nil { throw ValidationError("--pid needs --url.") }
        guard 1...100 ~= rounds else { throw ValidationError("--rounds must be 1 to 100.") }
    }

    /// Where the server and the load run; nil: anywhere.
    var cores: BenchCores? { pin && url == nil ? .available : nil }

    /// What the figures are to be read with.
    func setting(in folder: DataFolder) -> BenchSetting {
        if let url { return BenchSetting(server: url, has_process: pid != nil) }
        let mounts = (try? String(contentsOfFile: "/proc/self/mounts", encoding: .utf8)) ?? ""
        return BenchSetting(
            server: "own",
            server_core: cores?.server,
            load_core: cores?.load,
            fsync: true,
            file_system: BenchSetting.fileSystem(of: folder.path, mounts: mounts)
        )
    }

    /// Runs `round` as often as asked for, each time against a server that was just started on an empty folder below
    /// `folder`; or against the one at `url`.
    ///
    /// - Parameter data: A data folder for all rounds instead, which has a log already.
    func each<Value: Sendable>(
        in folder: DataFolder,
        data: DataFolder? = nil,
        _ round: (BenchTarget) async throws -> Value
    ) async throws -> [Value] {
        var values: [Value] = []
        let cores = cores
        cores?.bindLoad()
        for number in 1...rounds {
            try Task.checkCancellation()
            if let url, let address = BenchAddress(url: url) {
                let process = pid.map { ProcessFigures(pid: $0) }
                values.append(try await round(BenchTarget(address: address, process: process)))
                continue
            }
            let own = data ?? DataFolder("\(folder.path)/\(number)")
            let value = try await ChildServer.with(own, on: cores) { server in
                try await round(BenchTarget(address: server.address, process: server.process, folder: own))
            }
            values.append(value)
            if data == nil { try? FileManager.default.removeItem(atPath: own.path) }
        }
        return values
    }
}
