/// The least that the kernel takes to accept connections and answer their handshakes.
struct HandshakeFloor: Sendable {
    private let bench: ConnectionsBench

    init(_ bench: ConnectionsBench) { self.bench = bench }

    /// Does it as often as asked for.
    func rounds(_ count: Int, on cores: BenchCores?) async throws -> [BenchRound] {
        var rounds: [BenchRound] = []
        for _ in 0..<count {
            rounds.append(
                try await FloorServer.with(["--sockets", "\(bench.count)"], on: cores) { server in
                    let openings = (0..<bench.count).map { index in
                        let client = IdleClient(progress: ConnectionProgress())
                        return BenchOpening(client: client, name: "floor \(index)", path: "/0")
                    }
                    let meter = try BenchMeter(server.target)
                    let sockets = try await BenchSocket.open(openings, at: server.target.address, atOnce: bench.atOnce)
                    let round = try meter.round(rate: .connectsPerSecond, units: bench.count)
                        .only([.connectsPerSecond, .serverCPU])
                    for socket in sockets { socket.cut() }
                    return round
                }
            )
        }
        return rounds
    }
}
