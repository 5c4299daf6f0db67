import Broker
import Foundation
import Testing

@testable import Server

struct MessageBenchTests {
    private func withServer(_ body: (EmbeddedServer, BenchTarget) async throws -> Void) async throws {
        let folder = DataFolder(NSTemporaryDirectory() + "quipu-bench-" + UUID().uuidString)
        defer { try? FileManager.default.removeItem(atPath: folder.path) }
        try await EmbeddedServer.with(folder) { server in
            // Its log is open in this process already: what is stored is asked for, as of another's server.
            try await body(server, BenchTarget(address: server.address, process: .own))
        }
        // The folder is free again.
        try DataFolderLock(folder, command: "test").release()
    }

    @Test(arguments: [(1, 1, 1, 1), (1, 3, 200, 1), (1, 20, 1000, 2), (3, 5, 999, 3), (0, 0, 2500, 2)])
    func `everything is delivered, and what was acknowledged is stored`(
        rooms: Int,
        subscribers: Int,
        messages: Int,
        senders: Int
    ) async throws {
        try await withServer { server, target in
            let bench = MessageBench(
                rooms: rooms,
                subscribers: subscribers,
                senders: senders,
                inFlight: 50,
                messages: messages,
                bytes: 100
            )
            let result = try await bench.run(on: target, bar: ProgressBar(unit: "deliveries", isShown: false))
            let rate: BenchMetric = rooms == 0 ? .messagesPerSecond : .deliveriesPerSecond
            #expect(result.round[rate] ?? 0 > 0)
            #expect(result.round[.serverCPU] != nil)
            #expect(result.acks.count == messages)
            var sent = 0
            try server.log.forEach(in: 1...server.log.head) { record in
                if record.header.type == .messageSent { sent += 1 }
                return true
            }
            #expect(sent == messages)
        }
    }

    @Test func `at a steady rate every latency is counted`() async throws {
        try await withServer { _, target in
            let bench = MessageBench(subscribers: 4, senders: 3, messages: 300, messagesPerSecond: 3000)
            let result = try await bench.run(on: target, bar: ProgressBar(unit: "deliveries", isShown: false))
            #expect(result.deliveries.count == 4 * 300)
            #expect(result.acks.count == 300)
            #expect(result.acks.value(at: 0.5) <= result.acks.value(at: 1))
        }
    }

    @Test func `a benchmark that can't have its room says why`() async throws {
        try await withServer { server, _ in
            let failure = await #expect(throws: BenchFailure.self) {
                try await BenchRoom.make(members: ["a/b"], owner: "owner", at: server.address)
            }
            #expect(failure?.description.contains("no room could be made: HTTP/1.1 4") == true)
        }
    }

    @Test func `many connections are opened, greeted and held`() async throws {
        try await withServer { _, target in
            let bench = ConnectionsBench(count: 300, atOnce: 20)
            let round = try await bench.run(on: target, bar: ProgressBar(unit: "connections", isShown: false))
            #expect(round[.connectsPerSecond] ?? 0 > 0)
            #expect(round[.residentPerConnection] != nil)
            #expect(round[.privatePerConnection] != nil)
        }
    }

    @Test func `queries of what was sent to another's server are answered rightly`() async throws {
        try await withServer { _, target in
            let bar = ProgressBar(unit: "queries", isShown: false)
            let sample = BenchLog(messages: 2001, peers: 5, bytes: 60)
            let sending = try await QuerySending(sample, to: target.address, bar: bar)
            let bench = QueryBench(
                queries: [.history(rows: 400), .history(rows: 3), .unread],
                count: 20,
                sample: sample
            )
            let found = try await bench.run(on: target, reader: sending.reader, peer: sending.peer, bar: bar)
            for prefix in ["history 400", "history 3", "unread"] {
                #expect(found.round[.rate("queries", of: prefix)] ?? 0 > 0)
            }
            #expect(
                found.answers.map { String(decoding: $0.prefix(9), as: UTF8.self) } == [
                    "{\"from\":\"", "{\"from\":\"", "{\"total_c",
                ]
            )
            // One message less than there is.
            let wrong = QueryBench(queries: [.unread], count: 1, sample: BenchLog(messages: 1997, peers: 5))
            await #expect(throws: BenchFailure.self) {
                try await wrong.run(on: target, reader: sending.reader, peer: sending.peer, bar: bar)
            }
        }
    }
}
