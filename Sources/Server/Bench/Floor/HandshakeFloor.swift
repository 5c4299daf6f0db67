/// The least that the kernel takes to accept connections and answer their handshakes.
struct HandshakeFloor: Sendable {
    private let bench: ConnectionsBench

    init(_ bench: ConnectionsBench) { self.bench = bench }

    /// Does it as often as asked for.
    func rounds(_ count: Int, on cores: BenchCores?, _ bar: ProgressBar) async throws -> [BenchRound] {
        var rounds: [BenchRound] = []
        for _ in 0..<count {
            rounds.append(
                try await FloorServer.with("sockets", ["--sockets", "\(bench.count)"], on: cores) { server in
                    let paths = [String](repeating: "/0", count: bench.count)
                    let sockets = IdleSockets(at: server.target.address, isGreeted: false)
                    let meter = try await BenchMeter(server.target)
                    try await bench.open(paths, on: sockets, bar)
                    let round = try await meter.round(rate: .connectsPerSecond, units: bench.count)
                        .only([.connectsPerSecond, .serverCPU])
                    return round
                }
            )
        }
        return rounds
    }
}
