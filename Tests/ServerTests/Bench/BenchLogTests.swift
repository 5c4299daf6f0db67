import Broker
import Foundation
import Projections
import Testing

@testable import Server

struct BenchLogTests {
    @Test(arguments: [(1, 1), (7, 3), (100, 20), (4003, 20), (801, 1)])
    func `the log has what was asked for, is whole, and its views can be built`(
        messages: Int,
        peers: Int
    ) async throws {
        let folder = DataFolder(NSTemporaryDirectory() + "quipu-sample-" + UUID().uuidString)
        defer { try? FileManager.default.removeItem(atPath: folder.path) }
        let bar = ProgressBar(unit: "events", isShown: false)
        let sample = BenchLog(messages: messages, peers: peers, bytes: 40)
        try await sample.write(to: folder, bar: bar)
        try await sample.project(folder, bar: bar)
        let log = try await EventLog.opening(directory: folder.log, isReadOnly: true)
        var counts = [Int](repeating: 0, count: peers + 1)
        try StoredMessages.read(log) { mark, _ in counts[mark.sender] += 1 }
        #expect(counts.reduce(0, +) == messages)
        #expect(counts.dropLast() == (0..<peers).map { sample.count(ofPeer: $0) }[...])
        for projection in Views.projections {
            let store = try ViewStore(
                projection,
                readOnlyDirectory: ViewFolder(data: folder.path).directory(of: projection)
            )
            #expect(try store.checkpoint().offset == log.head)
        }
    }
}
