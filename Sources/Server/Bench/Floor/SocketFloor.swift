import Foundation
import NIOCore

/// The least that the kernel takes to serve the sockets of a ``MessageBench``: a bare loop in a process of its own,
/// which writes the same frames to as many sockets, each batch with one write a socket.
///
/// The same clients read and check them.
struct SocketFloor: Sendable {
    private let bench: MessageBench
    /// Messages of a room in a write.
    private let batch: Int

    /// - Parameter perCommit: The events that a commit of the server had, for the loop writes as the server did; nil
    ///   if that isn't known: all that may be on their way.
    init(_ bench: MessageBench, perCommit: Double?) {
        self.bench = bench
        let ofRoom = perCommit.map { Int(($0 / Double(bench.rooms)).rounded()) } ?? bench.senders * bench.inFlight
        batch = bench.messagesPerSecond == nil ? max(1, min(ofRoom, bench.messages / bench.rooms)) : 1
    }

    /// Does it as often as asked for.
    func rounds(_ count: Int, on cores: BenchCores?, _ bar: ProgressBar) async throws -> [BenchRound] {
        var rounds: [BenchRound] = []
        for _ in 0..<count {
            rounds.append(try await FloorServer.with("sockets", arguments, on: cores) { try await round($0, bar) })
        }
        return rounds
    }

    private var arguments: [String] {
        let sockets = bench.rooms * (bench.subscribers + bench.senders)
        let arguments = [
            "--rooms", "\(bench.rooms)", "--sockets", "\(sockets)", "--senders", "\(bench.senders)",
            "--messages", "\(bench.messages)", "--batch", "\(batch)",
            "--bytes", "\(bench.bytes)",
        ]
        return arguments + (bench.messagesPerSecond.map { ["--rate", "\($0)"] } ?? [])
    }

    private func round(_ server: FloorServer, _ bar: ProgressBar) async throws -> BenchRound {
        let progress = MessageProgress()
        let each = bench.messages / bench.allSenders
        let openings = (0..<bench.rooms).flatMap { room in
            (0..<bench.subscribers + bench.senders).map { index in
                let tally = MessageTally(senders: bench.senders, each: each, first: room * bench.senders)
                let client = MessageSubscriber(tally, progress: progress)
                return BenchOpening(client: client, name: "floor \(room), \(index)", path: "/\(room)")
            }
        }
        let sockets = try await BenchSocket.open(openings, at: server.target.address)
        let meter = try await BenchMeter(server.target)
        let total = bench.deliveries
        let watch = BenchWatch(
            bar: bar,
            unit: "deliveries of the floor",
            progress: { (progress.deliveryCount, total) },
            movement: { progress.sum },
            cut: { for socket in sockets { socket.cut() } }
        )
        try server.go()
        try await watch.run { for socket in sockets { try await socket.done.get() } }
        var round = try await meter.round(rate: .deliveriesPerSecond, units: total)
            .only([.deliveriesPerSecond, .serverCPU])
        if bench.rooms == 1 { round[.eventsPerCommit] = Double(batch) }
        for socket in sockets { socket.close() }
        try server.go()
        for socket in sockets { _ = try await socket.ended.get() }
        return round
    }
}
