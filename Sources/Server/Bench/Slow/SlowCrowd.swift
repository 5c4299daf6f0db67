import Broker
import NIOCore
import Synchronization

/// The clients of one run of ``SlowBench``, connected.
struct SlowCrowd: Sendable {
    let stuck: [BenchSocket<MessageSubscriber>]
    let healthy: [BenchSocket<MessageSubscriber>]
    let sender: BenchSocket<MessageSender>
    let pace: BenchPace
    private let progress = MessageProgress()

    /// What a client's kernel holds while the client doesn't read: less than it would, so that it is soon full.
    private static let receiveBufferBytes = 64 << 10
    private static let author = "bench-sender"

    /// Makes a room and connects everybody to it, the first `stuck` of the subscribers with little room in the kernel.
    init(_ bench: SlowBench, stuck count: Int, at address: BenchAddress) async throws {
        let pace = BenchPace(messagesPerSecond: bench.messagesPerSecond)
        self.pace = pace
        let progress = progress
        let names = (0..<bench.subscribers).map { "bench-subscriber-\($0)" }
        let room = try await BenchRoom.make(members: names, owner: Self.author, at: address)
        func open(
            _ names: some Sequence<String>,
            pace: BenchPace?,
            buffer: Int?
        ) async throws
            -> [BenchSocket<MessageSubscriber>]
        {
            let openings = names.map {
                BenchOpening(
                    client: MessageSubscriber(
                        MessageTally(senders: 1, each: bench.messages),
                        progress: progress,
                        pace: pace
                    ),
                    name: $0,
                    path: "/ws/\($0)",
                    receiveBufferBytes: buffer
                )
            }
            return try await BenchSocket.open(openings, at: address)
        }
        // Those who read on at the end are late by that, which is nobody's latency.
        stuck = try await open(names.prefix(count), pace: nil, buffer: Self.receiveBufferBytes)
        healthy = try await open(names.dropFirst(count), pace: pace, buffer: nil)
        let client = MessageSender(
            SendFrame(sender: 0, room: room.uuidText, bytes: bench.bytes),
            messages: bench.messages,
            // Of no matter: it is the pace that says when.
            inFlight: bench.messages,
            echoes: MessageTally(senders: 1, each: bench.messages),
            progress: progress,
            pace: pace
        )
        let opening = BenchOpening(client: client, name: Self.author, path: "/ws/\(Self.author)")
        sender = try await BenchSocket.open([opening], at: address)[0]
    }

    /// To all, so far.
    var deliveries: Int { progress.deliveryCount }
    /// Grows as long as anything moves.
    var movement: Int { progress.sum }

    func cut() {
        for socket in stuck + healthy { socket.cut() }
        sender.cut()
    }

    /// Says good-bye; what came twice comes before.
    ///
    /// - Returns: Nanoseconds, of the healthy, from when each message was due.
    func end() async throws -> Histogram {
        for socket in stuck + healthy { socket.close() }
        sender.close()
        _ = try await sender.ended.get()
        var latencies = Histogram()
        for socket in stuck + healthy { latencies.add(try await socket.ended.get().latencies) }
        return latencies
    }
}
