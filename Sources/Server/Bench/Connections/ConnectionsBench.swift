import Foundation
import NIOCore
import Synchronization

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

        let progress = ConnectionProgress()
        let openings = names.map {
            BenchOpening(client: IdleClient(progress: progress), name: $0, path: "/ws?account=\($0)")
        }
        let opened = Mutex<[BenchSocket<IdleClient>]>([])
        let watch = BenchWatch(
            bar: bar,
            unit: "connections",
            progress: { (progress.greetedCount, count) },
            movement: { progress.greetedCount + progress.pongCount },
            cut: { for socket in opened.withLock({ $0 }) { socket.cut() } }
        )
        let privateBefore = try? target.process?.privateBytes()
        let meter = try BenchMeter(target)
        try await watch.run {
            let sockets = try await BenchSocket.open(openings, at: target.address, atOnce: atOnce)
            opened.withLock { $0 = sockets }
            for socket in sockets { try await socket.done.get() }
        }
        var round = try meter.round(rate: .connectsPerSecond, units: count)
        let sockets = opened.withLock { $0 }

        // Each is asked whether it is still there, and answers: it isn't only the kernel that holds it.
        try await watch.run {
            for socket in sockets { socket.wake() }
            while progress.pongCount < count { try await Task.sleep(for: .milliseconds(5)) }
        }
        if let process = target.process, let before = round[.residentBefore] {
            round[.residentPerConnection] = (Double(try process.residentBytes()) - before) / Double(count)
        }
        if let before = privateBefore, let after = try? target.process?.privateBytes() {
            round[.privatePerConnection] = Double(after - before) / Double(count)
        }
        for socket in sockets { socket.close() }
        for socket in sockets { _ = try await socket.ended.get() }
        return round
    }

    private func admit(_ names: [String], _ tag: String, _ target: BenchTarget, _ bar: ProgressBar) async throws {
        let progress = ConnectionProgress()
        let client = AdmittingClient(names, progress: progress)
        let host = BenchOpening(client: client, name: "the host", path: "/ws?account=bench-\(tag)-host")
        let socket = try await BenchSocket.open([host], at: target.address)[0]
        let watch = BenchWatch(
            bar: bar,
            unit: "accounts",
            progress: { (progress.greetedCount, names.count) },
            movement: { progress.greetedCount },
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
