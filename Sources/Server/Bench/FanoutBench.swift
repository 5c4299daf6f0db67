import Broker
import Foundation
import NIOCore
import Synchronization

/// One room: some send, many receive, and everything is checked.
struct FanoutBench: Sendable {
    var subscribers = 100
    /// Of all senders together; a multiple of their number.
    var messages = 1000
    var senders = 1
    var bytes = 150

    /// Runs against `server`, which must be in mode `open`.
    ///
    /// - Throws: ``BenchFailure`` if anything was lost, came twice or out of order, or nothing moves for 30 seconds.
    func run(on server: EmbeddedServer, bar: ProgressBar) async throws -> FanoutReport {
        try FileDescriptors.require(2 * (subscribers + senders) + 256)
        let progress = FanoutProgress()
        let names = (0..<subscribers).map { "bench-subscriber-\($0)" }
        let authors = (0..<senders).map { "bench-sender-\($0)" }
        let room = try await BenchRoom.make(members: names + authors.dropFirst(), owner: authors[0], port: server.port)
        let each = messages / senders

        let receiving = try await BenchSocket.open(
            names.map {
                let client = FanoutSubscriber(senders: senders, each: each, progress: progress)
                return BenchOpening(client: client, name: $0, path: "/ws/\($0)")
            },
            port: server.port
        )
        let sending = try await BenchSocket.open(
            authors.enumerated().map { index, name in
                let client = FanoutSender(
                    sender: index,
                    room: room.uuidText,
                    messages: each,
                    bytes: bytes,
                    progress: progress
                )
                return BenchOpening(client: client, name: name, path: "/ws/\(name)")
            },
            port: server.port
        )

        let (start, startCPU) = (ContinuousClock.now, try server.process.cpuMicroseconds())
        for sender in sending { sender.wake() }
        let total = subscribers * messages
        let watch = BenchWatch(
            bar: bar,
            unit: "deliveries",
            progress: { (progress.deliveries.load(ordering: .relaxed), total) },
            movement: { progress.sum },
            cut: {
                receiving.forEach { $0.cut() }; sending.forEach { $0.cut() }
            }
        )
        try await watch.run {
            for socket in receiving { try await socket.done.get() }
            for socket in sending { try await socket.done.get() }
        }
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let cpuMicroseconds = try server.process.cpuMicroseconds() - startCPU
        bar.finish()

        // What came twice comes before the good-bye.
        for socket in receiving { socket.close() }
        for socket in sending { socket.close() }
        var tallies: [FanoutTally] = []
        for socket in receiving { tallies.append(try await socket.ended.get().tally) }
        var acknowledged: [[Offset]] = []
        for socket in sending { acknowledged.append(try await socket.ended.get().acknowledged) }
        try check(tallies, acknowledged, server.log, room)
        return FanoutReport(bench: self, seconds: seconds, cpuMicroseconds: Double(cpuMicroseconds))
    }

    /// Holds what was received and acknowledged against the log.
    private func check(_ tallies: [FanoutTally], _ acknowledged: [[Offset]], _ log: EventLog, _ room: RoomID) throws {
        var logged = FanoutTally(senders: senders, each: messages / senders)
        try log.forEach(in: 1...max(log.head, 1)) { record in
            guard record.header.type == .messageSent, record.header.stream == room,
                case .messageSent(let content, _) = try record.readPayload(), let mark = BenchMark(content: content)
            else { return true }
            try logged.receive(mark)
            guard acknowledged[mark.sender][mark.number] == record.offset else {
                throw BenchFailure(
                    "message \(mark.number) of sender \(mark.sender) is at offset \(record.offset), acknowledged was "
                        + "\(acknowledged[mark.sender][mark.number])"
                )
            }
            return true
        }
        guard logged.isComplete else { throw BenchFailure("the log has \(logged.count) of \(messages) messages") }
        for (index, tally) in tallies.enumerated() where tally != logged {
            throw BenchFailure("subscriber \(index) got the messages in another order than the log has them")
        }
    }
}
