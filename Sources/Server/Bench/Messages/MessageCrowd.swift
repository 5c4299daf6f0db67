import Broker
import Foundation
import NIOCore

/// The clients of one round of ``MessageBench``, connected.
struct MessageCrowd: Sendable {
    /// Of all rooms, one room after the other.
    private let subscribers: [BenchSocket<MessageSubscriber>]
    private let senders: [BenchSocket<MessageSender>]
    private let pace: BenchPace?
    private let subscribersOfRoom: Int
    /// By which the messages can be asked for afterwards.
    let questions: [Question]
    let progress = MessageProgress()

    /// Who may ask, and what for.
    struct Question: Sendable {
        var reader: String
        var subject: String
    }

    /// What is left when all have said good-bye.
    struct Ending: Sendable {
        /// Of the subscribers, by room.
        var received: [[MessageTally]]
        /// By sender and number.
        var acknowledged: [[Offset]]
        var deliveries: Histogram
        var acks: Histogram
    }

    /// Makes the rooms and connects everybody.
    init(_ bench: MessageBench, at address: BenchAddress) async throws {
        // Another run on the same server has other names.
        let tag = String(UInt32.random(in: 0x1000_0000 ... .max), radix: 16)
        let pace = bench.messagesPerSecond.map { BenchPace(messagesPerSecond: $0, senders: bench.allSenders) }
        self.pace = pace
        subscribersOfRoom = bench.subscribers
        let each = bench.messages / bench.allSenders
        let authors = (0..<bench.allSenders).map { "bench-\(tag)-sender-\($0)" }
        let progress = progress
        var receiving: [BenchOpening<MessageSubscriber>] = []
        var sending: [BenchOpening<MessageSender>] = []
        var questions: [Question] = []
        func add(_ sender: Int, room: String?, echoes: MessageTally?, path: String) {
            let client = MessageSender(
                SendFrame(sender: sender, room: room, bytes: bench.bytes),
                sender: sender,
                messages: each,
                inFlight: bench.inFlight,
                echoes: echoes,
                progress: progress,
                pace: pace
            )
            sending.append(BenchOpening(client: client, name: authors[sender], path: path))
        }
        for room in 0..<bench.rooms {
            let names = (0..<bench.subscribers).map { "bench-\(tag)-subscriber-\(room)-\($0)" }
            let first = room * bench.senders
            let own = Array(authors[first..<first + bench.senders])
            let id = try await BenchRoom.make(members: names + own.dropFirst(), owner: own[0], at: address).uuidText
            let tally = MessageTally(senders: bench.senders, each: each, first: first)
            for name in names {
                let client = MessageSubscriber(tally, progress: progress, pace: pace)
                receiving.append(BenchOpening(client: client, name: name, path: "/ws/\(name)"))
            }
            for sender in first..<first + bench.senders {
                add(sender, room: id, echoes: tally, path: "/ws/\(authors[sender])")
            }
            questions.append(Question(reader: own[0], subject: "\"room\":\"\(id)\""))
        }
        if bench.rooms == 0 {
            for sender in authors.indices {
                let peer = "bench-\(tag)-absent-\(sender)"
                add(sender, room: nil, echoes: nil, path: "/ws?send_id=\(authors[sender])&receive_id=\(peer)")
                questions.append(Question(reader: authors[sender], subject: "\"to\":\"\(peer)\""))
            }
        }
        self.questions = questions
        subscribers = try await BenchSocket.open(receiving, at: address)
        senders = try await BenchSocket.open(sending, at: address)
    }

    /// Sends everything, and returns when everybody has everything.
    func work() async throws {
        pace?.start()
        for sender in senders { sender.wake() }
        for socket in subscribers { try await socket.done.get() }
        for socket in senders { try await socket.done.get() }
    }

    func cut() {
        for socket in subscribers { socket.cut() }
        for socket in senders { socket.cut() }
    }

    /// Says good-bye; what came twice comes before.
    func end() async throws -> Ending {
        for socket in subscribers { socket.close() }
        for socket in senders { socket.close() }
        var ending = Ending(received: [], acknowledged: [], deliveries: Histogram(), acks: Histogram())
        for (index, socket) in subscribers.enumerated() {
            let client = try await socket.ended.get()
            if index % subscribersOfRoom == 0 { ending.received.append([]) }
            ending.received[ending.received.count - 1].append(client.tally)
            ending.deliveries.add(client.latencies)
        }
        for socket in senders {
            let client = try await socket.ended.get()
            ending.acknowledged.append(client.acknowledged)
            ending.acks.add(client.latencies)
        }
        return ending
    }
}
