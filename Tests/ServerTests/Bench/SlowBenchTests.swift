import Foundation
import Testing

@testable import Server

struct SlowBenchTests {
    @Test(arguments: [(0, 0), (1, 10), (10, 100), (99, 990)])
    func `a share of the subscribers is stuck`(percent: Int, stuck: Int) {
        #expect(SlowBench(subscribers: 1000).stuck(percent) == stuck)
        // One at least, if any.
        #expect(SlowBench(subscribers: 2).stuck(1) == 1)
        #expect(SlowBench(subscribers: 2).stuck(0) == 0)
    }

    @Test func `those who stop reading get everything in the end, and the others meanwhile`() async throws {
        let folder = DataFolder(NSTemporaryDirectory() + "quipu-slow-" + UUID().uuidString)
        defer { try? FileManager.default.removeItem(atPath: folder.path) }
        let bench = SlowBench(subscribers: 20, stuckPercents: [0, 10], messagesPerSecond: 400, seconds: 1, bytes: 1000)
        var runs = 0
        let report = try await bench.run(bar: ProgressBar(unit: "deliveries", isShown: false)) { body in
            runs += 1
            let smallBuffers = { (settings: inout Settings) in
                settings.limits.sendBufferBytes = 16 << 10
                settings.limits.outboundBytes = 16 << 10
            }
            return try await EmbeddedServer.with(
                DataFolder("\(folder.path)/\(runs)"),
                configure: smallBuffers
            ) { (server: EmbeddedServer) in try await body(server) }
        }
        #expect(report.rows.map(\.stuck) == [0, 2])
        #expect(report.rows.map(\.latencies.count) == [20 * 400, 18 * 400])
        #expect(report.rows.map(\.missed) == [0, 2 * 400])
        for row in report.rows {
            #expect(row.residentPeak >= row.residentBefore)
            #expect(row.milliseconds(at: 0.5) <= row.milliseconds(at: 0.999))
        }
        #expect(report.lines.count == 3 + 3)
        #expect(try report.json().contains("\"stuck_percent\":10"))
    }
}
