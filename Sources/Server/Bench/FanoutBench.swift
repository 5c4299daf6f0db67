import Broker
import Foundation
import NIOCore
import NIOPosix
import Synchronization

/// One room: some send, many receive, and everything is checked.
struct FanoutBench: Sendable {
    var subscribers = 100
    /// Of all senders together; a multiple of their number.
    var messages = 1000
    var senders = 1
    var bytes = 150

    private static let connectionsAtOnce = 64
    private static let stallSeconds = 30

    /// Runs against `server`, which must be in mode `open`.
    ///
    /// - Throws: ``BenchFailure`` if anything was lost, came twice or out of order, or nothing moves for 30 seconds.
    func run(on server: any BenchServer, bar: ProgressBar) async throws -> FanoutReport {
        let group = MultiThreadedEventLoopGroup.singleton
        let progress = FanoutProgress()
        let names = (0..<subscribers).map { "bench-subscriber-\($0)" }
        let authors = (0..<senders).map { "bench-sender-\($0)" }
        let room = try await BenchRoom.make(members: names + authors.dropFirst(), owner: authors[0], port: server.port)
        let each = messages / senders

        let receiving = try await open(names, port: server.port, group: group) { _ in
            FanoutSubscriber(senders: senders, each: each, progress: progress)
        }
        let sending = try await open(authors, port: server.port, group: group) { index in
            FanoutSender(sender: index, room: room.uuidText, messages: each, bytes: bytes, progress: progress)
        }

        // `clock` counts the processor time of the whole process, user and system.
        let (start, startCPU) = (ContinuousClock.now, clock())
        for sender in sending { sender.start() }
        try await watch(
            progress,
            bar,
            cut: {
                receiving.forEach { $0.cut() }; sending.forEach { $0.cut() }
            }
        ) {
            for socket in receiving { try await socket.done.get() }
            for socket in sending { try await socket.done.get() }
        }
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let cpuMicroseconds = Double(clock() - startCPU) * 1_000_000 / Double(CLOCKS_PER_SEC)
        bar.finish()

        // What came twice comes before the good-bye.
        for socket in receiving { socket.close() }
        for socket in sending { socket.close() }
        var tallies: [FanoutTally] = []
        for socket in receiving { tallies.append(try await socket.ended.get().tally) }
        var acknowledged: [[Offset]] = []
        for socket in sending { acknowledged.append(try await socket.ended.get().acknowledged) }
        try check(tallies, acknowledged, server.log, room)
        return FanoutReport(bench: self, seconds: seconds, cpuMicroseconds: cpuMicroseconds)
    }

    private func open<Client: BenchClient>(
        _ names: [String],
        port: Int,
        group: any EventLoopGroup,
        make: (Int) -> Client
    ) async throws -> [BenchSocket<Client>] {
        var sockets: [BenchSocket<Client>] = []
        for start in stride(from: 0, to: names.count, by: Self.connectionsAtOnce) {
            let part = start..<min(start + Self.connectionsAtOnce, names.count)
            let clients = part.map { (names[$0], make($0)) }
            sockets += try await withThrowingTaskGroup { tasks in
                for (index, (name, client)) in clients.enumerated() {
                    tasks.addTask {
                        let path = "/ws/\(name)"
                        return (
                            index, try await BenchSocket.open(client, name: name, path: path, port: port, group: group)
                        )
                    }
                }
                var opened: [(Int, BenchSocket<Client>)] = []
                for try await socket in tasks { opened.append(socket) }
                return opened.sorted { $0.0 < $1.0 }.map(\.1)
            }
        }
        return sockets
    }

    /// Runs `body`, shows how far it is, and cuts it short if nothing moves.
    private func watch(
        _ progress: FanoutProgress,
        _ bar: ProgressBar,
        cut: @escaping @Sendable () -> Void,
        _ body: @escaping @Sendable () async throws -> Void
    ) async throws {
        let total = UInt64(subscribers * messages)
        try await withThrowingTaskGroup { group in
            group.addTask {
                var last = (sum: -1, at: ContinuousClock.now)
                while !Task.isCancelled {
                    try? await Task.sleep(for: .milliseconds(100))
                    bar.update(done: UInt64(progress.deliveries.load(ordering: .relaxed)), total: total)
                    if progress.sum != last.sum { last = (progress.sum, .now) }
                    if ContinuousClock.now - last.at > .seconds(Self.stallSeconds) { cut() }
                }
            }
            defer { group.cancelAll() }
            do {
                try await withTaskCancellationHandler(operation: body, onCancel: cut)
            } catch {
                try Task.checkCancellation()
                let done = progress.deliveries.load(ordering: .relaxed)
                throw BenchFailure("\(CommandFailure(error).message) (\(done.grouped) of \(total) deliveries made)")
            }
        }
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
