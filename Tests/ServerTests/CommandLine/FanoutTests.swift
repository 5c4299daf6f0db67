import Broker
import Foundation
import Testing

@testable import Server

struct FanoutTests {
    @Test(arguments: [(1, 1, 1), (3, 200, 1), (20, 1000, 1), (5, 999, 3)])
    func `the benchmark's server delivers everything, and what was acknowledged is in the log`(
        subscribers: Int,
        messages: Int,
        senders: Int
    ) async throws {
        let folder = DataFolder(NSTemporaryDirectory() + "quipu-fanout-" + UUID().uuidString)
        defer { try? FileManager.default.removeItem(atPath: folder.path) }
        try await EmbeddedServer.with(folder) { server in
            let bench = FanoutBench(subscribers: subscribers, messages: messages, senders: senders, bytes: 100)
            let report = try await bench.run(on: server, bar: ProgressBar(unit: "deliveries", isShown: false))
            #expect(report.deliveries == subscribers * messages)
            #expect(report.seconds > 0)
            var sent = 0
            try server.log.forEach(in: 1...server.log.head) { record in
                if record.header.type == .messageSent { sent += 1 }
                return true
            }
            #expect(sent == messages)
        }
        // The folder is free again.
        try DataFolderLock(folder, command: "test").release()
    }

    @Test func `a benchmark that can't have its room says why`() async throws {
        let folder = DataFolder(NSTemporaryDirectory() + "quipu-fanout-" + UUID().uuidString)
        defer { try? FileManager.default.removeItem(atPath: folder.path) }
        try await EmbeddedServer.with(folder) { server in
            let failure = await #expect(throws: BenchFailure.self) {
                try await BenchRoom.make(members: ["a/b"], owner: "owner", port: server.port)
            }
            #expect(failure?.description.contains("no room could be made: HTTP/1.1 4") == true)
        }
    }
}
