import Broker
import Foundation
import NIOCore
import Synchronization

/// How far a run is, for the progress bar.
final class FanoutProgress: Sendable {
    let deliveries = Atomic<Int>(0)
    let acks = Atomic<Int>(0)

    /// Grows as long as anything moves.
    var sum: Int { deliveries.load(ordering: .relaxed) + acks.load(ordering: .relaxed) }
}

/// Receives all messages of the room.
struct FanoutSubscriber: BenchClient {
    private(set) var tally: FanoutTally
    let progress: FanoutProgress
    /// When each message was due, if that is measured.
    private let pace: BenchPace?
    /// Microseconds from then until it came.
    private(set) var latencies = Histogram()

    init(senders: Int, each: Int, progress: FanoutProgress, pace: BenchPace? = nil) {
        tally = FanoutTally(senders: senders, each: each)
        self.progress = progress
        self.pace = pace
    }

    var isDone: Bool { tally.isComplete }

    mutating func wake(_ output: inout ByteBuffer) {}

    mutating func receive(_ buffer: ByteBuffer, at index: Int, count: Int, _ output: inout ByteBuffer) throws {
        guard let mark = BenchMark(in: buffer, at: index, count: count) else {
            throw BenchFailure("unexpected: \(buffer.getString(at: index, length: count) ?? "")")
        }
        try tally.receive(mark)
        if let pace { latencies.record(pace.microseconds(since: mark.number)) }
        progress.deliveries.add(1, ordering: .relaxed)
    }
}

/// Sends its messages: when they are due, or a number of them before the first is acknowledged.
struct FanoutSender: BenchClient {
    let sender: Int
    let room: String
    let messages: Int
    let bytes: Int
    let progress: FanoutProgress
    private let pace: BenchPace?
    /// The offset of each message that was acknowledged, by number.
    private(set) var acknowledged: [Offset] = []
    private var sent = 0

    /// Enough to fill a commit, few enough that the server's queue never overflows.
    private static let window = 512

    init(
        sender: Int,
        room: String,
        messages: Int,
        bytes: Int,
        progress: FanoutProgress,
        pace: BenchPace? = nil
    ) {
        self.sender = sender
        self.room = room
        self.messages = messages
        self.bytes = bytes
        self.progress = progress
        self.pace = pace
    }

    private struct Reply: Decodable {
        var code: Int
        var content: String?
        var offset: Offset?
        var ref: Int?
    }

    var isDone: Bool { acknowledged.count == messages }

    mutating func wake(_ output: inout ByteBuffer) {
        let allowed = pace?.due ?? acknowledged.count + Self.window
        while sent < min(messages, allowed) { send(&output) }
    }

    mutating func receive(_ buffer: ByteBuffer, at index: Int, count: Int, _ output: inout ByteBuffer) throws {
        // A room's message comes to its sender too.
        if BenchMark(in: buffer, at: index, count: count) != nil { return }
        let data = Data(buffer.getBytes(at: index, length: count) ?? [])
        let reply = try JSONDecoder().decode(Reply.self, from: data)
        guard reply.code == 50002 || reply.code == 50003, let offset = reply.offset else {
            throw BenchFailure("message \(acknowledged.count) was answered with \(reply.code) \(reply.content ?? "")")
        }
        guard reply.ref == acknowledged.count else {
            throw BenchFailure("an ack of message \(reply.ref ?? -1) came while \(acknowledged.count) was due")
        }
        acknowledged.append(offset)
        progress.acks.add(1, ordering: .relaxed)
        wake(&output)
    }

    private mutating func send(_ output: inout ByteBuffer) {
        var frame = Array("{\"type\":1,\"room\":\"\(room)\",\"ref\":\(sent),\"content\":\"".utf8)
        frame += BenchMark(sender: sender, number: sent).content(bytes: bytes)
        frame += Array("\"}".utf8)
        BenchFrame.append(.text, frame, to: &output)
        sent += 1
    }
}
