import Foundation
import NIOCore

/// Many sockets that are opened as fast as will go, and then do nothing.
struct ConnectionsBench: Sendable {
    var count = 10_000
    /// That are opened at once.
    var atOnce = 64

    /// Runs against `target`, which must be in mode `open`.
    ///
    /// - Throws: ``BenchFailure`` if one isn't greeted, or isn't there any more at the end.
    func run(on target: BenchTarget, bar: ProgressBar) async throws -> BenchRound {
        try FileDescriptors.require(count + 256)
        let tag = String(UInt32.random(in: 0x1000_0000 ... .max), radix: 16)
        let names = (0..<count).map { "bench-\(tag)-\($0)" }
        try await admit(names, tag, target, bar)

        let sockets = IdleSockets(at: target.address, isGreeted: true)
        let privateBefore = try? target.process?.privateBytes()
        let meter = try await BenchMeter(target)
        try await open(names.map { "/ws?account=\($0)" }, on: sockets, bar)
        var round = try await meter.round(rate: .connectsPerSecond, units: count)
        try await sockets.ping()
        if let process = target.process, let before = round[.residentBefore] {
            round[.residentPerConnection] = (Double(try process.residentBytes()) - before) / Double(count)
        }
        if let before = privateBefore, let after = try? target.process?.privateBytes() {
            round[.privatePerConnection] = Double(after - before) / Double(count)
        }
        return round
    }

    /// Opens the sockets of `paths`, ``atOnce`` of them at once.
    func open(_ paths: [String], on sockets: IdleSockets, _ bar: ProgressBar) async throws {
        for start in stride(from: 0, to: paths.count, by: atOnce) {
            try Task.checkCancellation()
            try await sockets.open(Array(paths[start..<min(paths.count, start + atOnce)]))
            bar.update(done: UInt64(sockets.progress), total: UInt64(paths.count))
        }
    }

    private func admit(_ names: [String], _ tag: String, _ target: BenchTarget, _ bar: ProgressBar) async throws {
        let progress = MessageProgress()
        let client = AdmittingClient(names, progress: progress)
        let host = BenchOpening(client: client, name: "the host", path: "/ws?account=bench-\(tag)-host")
        let socket = try await BenchSocket.open([host], at: target.address)[0]
        let watch = BenchWatch(
            bar: bar,
            unit: "accounts",
            progress: { (progress.ackCount, names.count) },
            movement: { progress.ackCount },
            cut: { socket.cut() }
        )
        try await watch.run {
            socket.wake()
            try await socket.done.get()
        }
        socket.close()
        _ = try await socket.ended.get()
    }
}
