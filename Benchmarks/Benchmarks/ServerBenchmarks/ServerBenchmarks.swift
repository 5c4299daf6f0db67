import Benchmark
import Broker
import Foundation
import Logging
import NIOCore
import NIOEmbedded
import Projections

@testable import Server

// What the server does with bytes, one part at a time, with messages of 150 bytes.

private let text = String(repeating: "x", count: 150)
private let request = Array(#"{"type":1,"to":"bob","content":"\#(text)","id":"m-17","ref":4}"#.utf8)
private let payload = MessagePayload.encode(content: Array(text.utf8))
private let room = RoomID(high: 0x6265_6E63_6821_4000, low: 0x8000_0000_0000_0000)
private let author = AccountID(high: 1, low: 1)

private func header(_ revision: Int) -> EventHeader {
    EventHeader(
        type: .messageSent,
        payloadClass: .content,
        milliseconds: 1_700_000_000_000,
        actor: author,
        subject: room,
        stream: room,
        revision: UInt64(revision)
    )
}

/// One event loop with room sockets, without a kernel.
private struct Room {
    let dispatcher: Dispatcher
    let channels: [EmbeddedChannel]
    var next: Offset

    init(sockets: Int) throws {
        let folder = NSTemporaryDirectory() + "quipu-micro-dispatch-\(UUID().uuidString)"
        // What is open stays there for as long as it is needed.
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let log = try EventLog(directory: folder + "/log")
        let views = try Views(folder: ViewFolder(data: folder), log: log)
        let logger = Logger(label: "benchmark") { _ in SwiftLogNoOpLogHandler() }
        let services = SessionServices(broker: Broker(log: log), views: views, settings: Settings(), logger: logger)
        let loop = EmbeddedEventLoop()
        dispatcher = Dispatcher(loop: loop, sink: 0, services: services, position: log.head)
        next = log.head + 1
        var channels: [EmbeddedChannel] = []
        for index in 0..<sockets {
            let me = AccountID(high: 2, low: UInt64(index))
            let session = Session(
                kind: .room,
                me: me,
                myName: Array("member-\(index)".utf8),
                start: SessionStart(offset: log.head, rooms: [room], currentRooms: [room]),
                dispatcher: dispatcher
            )
            let handler = SessionHandler(session: session, maximumFrameBytes: 1 << 16, lifetime: nil)
            let channel = EmbeddedChannel(handler: handler, loop: loop)
            _ = try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1))
            channels.append(channel)
        }
        self.channels = channels
    }

    /// Hands out a commit of `messages`, and takes what was written off the channels.
    mutating func dispatch(_ messages: Int) throws -> Int {
        var batch = EventBatch(first: next)
        for index in 0..<messages { batch.append(header: header(index), salt: (1, 2), payload: payload.span) }
        next = batch.next
        dispatcher.dispatch(CommittedBatch(events: batch, receipts: [[]]))
        var written = 0
        for channel in channels {
            while let bytes = try channel.readOutbound(as: ByteBuffer.self) { written += bytes.readableBytes }
        }
        return written
    }
}

let benchmarks: @Sendable () -> Void = {
    Benchmark.defaultConfiguration = .init(
        metrics: [.wallClock, .throughput],
        scalingFactor: .kilo,
        maxDuration: .seconds(2),
        maxIterations: 1_000_000
    )

    Benchmark("WebSocket: decode a frame") { benchmark in
        let frame = BenchFrame.bytes(.text, request, key: 0x1234_5678)
        var decoder = FrameDecoder(maximumFrameBytes: 1 << 16, maximumMessageBytes: 1 << 16)
        var scratch: [UInt8] = []
        var all = ByteBuffer()
        for _ in benchmark.scaledIterations { all.writeBytes(frame) }
        var count = 0
        benchmark.startMeasurement()
        _ = try decoder.decode(&all, scratch: &scratch) { (_, payload) throws(ProtocolViolation) in
            count &+= payload.count
            return .goOn
        }
        benchmark.stopMeasurement()
        blackHole(count)
    }

    Benchmark("JSON: scan a request") { benchmark in
        for _ in benchmark.scaledIterations { blackHole(try ClientFrame.parse(request.span, limits: .init())) }
    }

    Benchmark("JSON: write a delivery to a session socket") { benchmark in
        let message = Outbound.Message(
            offset: 812,
            milliseconds: 1_700_000_000_123,
            sender: Array("ann".utf8),
            recipient: [],
            room: room
        )
        let content = Array(text.utf8)
        var json = ByteBuffer()
        for _ in benchmark.scaledIterations {
            json.clear()
            Outbound.writeSessionMessage(message, content: content.span, id: content.span.extracting(0..<0), to: &json)
        }
        blackHole(json.readableBytes)
    }

    for (messages, sockets) in [(1, 100), (100, 100), (500, 1000)] {
        // One for all iterations: making it takes longer than what is measured.
        var found: Room?
        Benchmark(
            "dispatch: a commit of \(messages) messages to \(sockets) sockets",
            configuration: .init(scalingFactor: .one)
        ) { benchmark in
            var room = try found ?? Room(sockets: sockets)
            // Everything is there, and nothing is lost on the way.
            let written = try room.dispatch(messages)
            precondition(written > messages * sockets * text.utf8.count)
            benchmark.startMeasurement()
            for _ in benchmark.scaledIterations { blackHole(try room.dispatch(messages)) }
            benchmark.stopMeasurement()
            found = room
        }
    }
}
