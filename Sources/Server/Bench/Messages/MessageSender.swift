import Broker
import NIOCore
import Synchronization

/// Sends its messages: when they are due, or a number of them before the first is acknowledged.
struct MessageSender: BenchClient {
    private var frame: SendFrame
    private let sender: Int
    let messages: Int
    private let inFlight: Int
    private let progress: MessageProgress
    private let pace: BenchPace?
    /// What comes back of the room that it writes to; nil if it writes to no room.
    private(set) var echoes: MessageTally?
    /// The offset of each message that was acknowledged, by number: replies come in the order of requests.
    private(set) var acknowledged: [Offset] = []
    /// Nanoseconds until each ack: from when the message was due or, without a pace, from when it was sent.
    private(set) var latencies = Histogram()
    private var sent = 0
    /// When the messages that are on their way were sent, by number modulo their greatest count.
    private var sentAt: [UInt64]
    private var markPlace = 0
    private var reported = (echoes: 0, acks: 0)

    /// - Parameters:
    ///   - sender: Its number among those of the pace.
    ///   - inFlight: Messages on their way at most, without a pace.
    init(
        _ frame: SendFrame,
        sender: Int = 0,
        messages: Int,
        inFlight: Int,
        echoes: MessageTally? = nil,
        progress: MessageProgress,
        pace: BenchPace? = nil
    ) {
        self.frame = frame
        self.sender = sender
        self.messages = messages
        self.inFlight = inFlight
        self.echoes = echoes
        self.progress = progress
        self.pace = pace
        sentAt = pace == nil ? Array(repeating: 0, count: inFlight) : []
        acknowledged.reserveCapacity(messages)
    }

    var isDone: Bool { acknowledged.count == messages && echoes?.isComplete != false }

    var nextWake: NIODeadline? { sent < messages ? pace?.deadline(of: sent, sender: sender) : nil }

    mutating func wake(_ output: inout ByteBuffer) {
        let allowed = min(messages, pace?.due(sender) ?? acknowledged.count + inFlight)
        guard sent < allowed else { return }
        let now = pace == nil ? NIODeadline.now().uptimeNanoseconds : 0
        while sent < allowed {
            if pace == nil { sentAt[sent % inFlight] = now }
            frame.append(sent, to: &output)
            sent += 1
        }
    }

    mutating func receive(_ text: borrowing Span<UInt8>, _ output: inout ByteBuffer) throws {
        // A room's message comes to its sender too; it begins with `{"Sender"`, and all else with `{"from"`.
        if echoes != nil, text.count > 2, text[2] == UInt8(ascii: "S") {
            guard let mark = BenchMark(in: text, near: &markPlace) else { throw BenchFailure.unexpected(text) }
            try echoes?.receive(mark)
            return
        }
        let reply = BenchReply(text)
        // What a conversation socket is greeted with.
        if reply.code == Outbound.Code.success.rawValue, acknowledged.isEmpty { return }
        let number = acknowledged.count
        guard reply.isStored, let offset = reply.offset, number < sent else {
            throw BenchFailure(
                "message \(number) was answered with "
                    + String(decoding: [UInt8](copying: text).prefix(500), as: UTF8.self)
            )
        }
        guard offset > acknowledged.last ?? 0 else {
            throw BenchFailure("message \(number) was acknowledged at offset \(offset), after a later one")
        }
        let latency =
            pace?.nanoseconds(since: number, sender: sender)
            ?? NIODeadline.now().uptimeNanoseconds - sentAt[number % inFlight]
        latencies.record(latency)
        acknowledged.append(offset)
        if pace == nil { wake(&output) }
    }

    mutating func endRead() {
        progress.acks.add(acknowledged.count - reported.acks, ordering: .relaxed)
        progress.echoes.add((echoes?.count ?? 0) - reported.echoes, ordering: .relaxed)
        reported = (echoes?.count ?? 0, acknowledged.count)
    }
}
