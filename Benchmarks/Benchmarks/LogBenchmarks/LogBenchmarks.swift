import Benchmark
import Broker
import Cryptography
import Foundation
import Projections

// What the log and the views do, one part at a time, with messages of 150 bytes.

private let content = [UInt8](repeating: UInt8(ascii: "x"), count: 150)
private let payload = MessagePayload.encode(content: content)
private let people = (0..<64).map { AccountID(high: 1, low: UInt64($0)) }

private func header(_ index: Int) -> EventHeader {
    let (sender, peer) = (people[index & 63], people[(index &+ 1) & 63])
    return EventHeader(
        type: .messageSent,
        payloadClass: .content,
        milliseconds: 1_700_000_000_000,
        actor: sender,
        subject: peer,
        stream: StreamID(high: 7, low: UInt64(index & 63)),
        revision: UInt64(index / 64 + 1)
    )
}

/// A folder that goes when the process ends in good order, or is in the system's folder for such things.
private func scratch(_ name: String) -> String {
    let folder = NSTemporaryDirectory() + "quipu-micro-\(name)-\(UUID().uuidString)"
    try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    return folder
}

/// A log of `messages` in the streams of 64 conversations.
private func makeLog(_ messages: Int, in folder: String) throws -> EventLog {
    let log = try EventLog(directory: folder + "/log")
    var filling = try LogFilling(log)
    let conversations = people.indices.map { Command.Conversation(me: people[$0], peer: people[($0 + 1) & 63]) }
    for index in 0..<messages { try filling.append(conversations[index & 63], payload: payload) }
    try filling.flush()
    return log
}

let benchmarks: @Sendable () -> Void = {
    Benchmark.defaultConfiguration = .init(
        metrics: [.wallClock, .throughput],
        scalingFactor: .one,
        maxDuration: .seconds(2),
        maxIterations: 1_000_000
    )

    Benchmark("record: encode", configuration: .init(scalingFactor: .kilo)) { benchmark in
        var batch = EventBatch(first: 1)
        for index in benchmark.scaledIterations {
            batch.append(header: header(index), salt: (1, 2), payload: payload.span)
        }
        blackHole(batch.bytes.count)
    }

    Benchmark("record: decode, checksum included", configuration: .init(scalingFactor: .kilo)) { benchmark in
        var batch = EventBatch(first: 1)
        batch.append(header: header(0), salt: (1, 2), payload: payload.span)
        let bytes = batch.bytes
        benchmark.startMeasurement()
        var sum = 0
        for _ in benchmark.scaledIterations {
            let record = try Record(bytes.span, at: 1)
            sum &+= MessagePayload.content(of: record.payload).count
        }
        benchmark.stopMeasurement()
        blackHole(sum)
    }

    Benchmark("Merkle tree: append a leaf", configuration: .init(scalingFactor: .kilo)) { benchmark in
        let hasher = SHA256()
        var batch = EventBatch(first: 1)
        batch.append(header: header(0), salt: (1, 2), payload: payload.span)
        let leaf = try Record(batch.bytes.span, at: 1).leafHash(with: hasher)
        var frontier = TreeFrontier()
        benchmark.startMeasurement()
        for _ in benchmark.scaledIterations { frontier.append(leaf, with: hasher) { _, hash in blackHole(hash) } }
        benchmark.stopMeasurement()
    }

    for count in [1, 10, 100, 1000] {
        Benchmark("log: append and flush, \(count) in a commit") { benchmark in
            let folder = scratch("append")
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let log = try makeLog(1, in: folder)
            var filling = try LogFilling(log)
            let conversation = Command.Conversation(me: people[0], peer: people[1])
            benchmark.startMeasurement()
            for _ in benchmark.scaledIterations {
                for _ in 0..<count { try filling.append(conversation, payload: payload) }
                try filling.flush()
            }
            benchmark.stopMeasurement()
        }
    }

    for projection in Views.projections {
        Benchmark(
            "view \(projection.name): 20,000 messages",
            configuration: .init(maxDuration: .seconds(5), maxIterations: 20)
        ) { benchmark in
            let folder = scratch("view")
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let log = try makeLog(20_000, in: folder)
            benchmark.startMeasurement()
            try Rebuild.build(projection, from: log, into: folder + "/view")
            benchmark.stopMeasurement()
        }
    }
}
