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

    @OptionGroup private var options: RoundOptions

    func validate() throws {
        if let url, BenchAddress(url: url) == nil { throw ValidationError("--url must be ws://host:port.") }
        if pid != nil, url == nil { throw ValidationError("--pid needs --url.") }
    }

    var rounds: Int { options.rounds }
    var folder: String? { options.folder }
    var json: Bool { options.json }

    /// Where the server and the load run; nil: anywhere.
    var cores: BenchCores? { pin && url == nil ? .available : nil }

    /// What the figures are to be read with.
    func setting(in folder: DataFolder) -> BenchSetting {
        if let url { return BenchSetting(server: url, has_process: pid != nil) }
        return .own(on: cores, in: folder)
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
