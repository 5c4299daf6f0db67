import Broker
import Foundation
import NIOCore
import Testing

@testable import Server

struct ResumeBenchTests {
    private static let caughtUp = #"{"from":"Server","code":50010,"content":"","offset":9,"log":"l"}"#
    private static let greeting = #"{"from":"Server","code":50000,"content":"","offset":1}"#

    private func received(_ frames: [String]) throws -> ResumeClient {
        let missed = ResumeClient.Missed(sender: 3, numbers: 5..<7, head: 9)
        var client = ResumeClient(missed, received: ResumeProgress())
        var output = ByteBuffer()
        for frame in frames {
            #expect(!client.isDone)
            try client.receive(Array(frame.utf8).span, &output)
        }
        #expect(output.readableBytes == 0)
        return client
    }

    @Test func `one that gets what it has missed, then the end, is done`() throws {
        #expect(try received([Self.greeting, "@3:5@", "@3:6@", Self.caughtUp]).isDone)
        #expect(try !received([Self.greeting, "@3:5@", "@3:6@"]).isDone)
    }

    @Test(arguments: [
        (["@3:6@"], "message 6 came while 5 was due"),
        (["@3:5@", "@3:5@"], "message 5 came again or late"),
        (["@3:5@", "@3:6@", "@3:7@"], "message 7 came while none was due"),
        (["@2:5@"], "message 5 of sender 2 came to whom it doesn't concern"),
        (["@3:5@", caughtUp], "told that it has all up to 9 of 9, with 1 of 2 messages"),
        (
            ["@3:5@", "@3:6@", caughtUp.replacing("9", with: "8")],
            "told that it has all up to 8 of 9, with 2 of 2 messages"
        ),
        (["hello"], "unexpected: hello"),
    ])
    func `what is lost, repeated, another's or too early is found`(frames: [String], reason: String) {
        let failure = #expect(throws: BenchFailure.self) { try received(frames) }
        #expect(failure?.description == reason)
    }

    @Test(arguments: [(1, 3, 0), (7, 10, 5000), (30, 200, 1000)])
    func `the benchmark's clients have all that they missed, near the head and far behind`(
        clients: Int,
        messages: Int,
        others: Int
    ) async throws {
        let folder = DataFolder(NSTemporaryDirectory() + "quipu-resume-" + UUID().uuidString)
        defer { try? FileManager.default.removeItem(atPath: folder.path) }
        try await EmbeddedServer.with(folder) { server in
            let bench = ResumeBench(clients: clients, messages: messages, others: others, bytes: 60)
            let report = try await bench.run(on: server, bar: ProgressBar(unit: "messages", isShown: false))
            let near = 4000 / clients
            #expect(report.rows.map(\.messagesEach) == [near, messages + near] + (others > 0 ? [others] : []))
            #expect(report.rows.map(\.latencies.count) == [clients, clients] + (others > 0 ? [1] : []))
            #expect(report.rows[0].gapEvents == near * clients)
            #expect(report.rows[1].gapEvents == (messages + near) * clients + others)
            #expect(report.head == server.log.head)
            #expect(report.lines.count == 3 + report.rows.count)
            #expect(try report.json().contains("\"exactly_once_in_order\":true"))
        }
    }
}
