import Foundation
import NIOCore
import Testing

@testable import Server

struct BenchTests {
    @Test(arguments: [(0, 0), (0, 17), (999, 99_999_999)])
    func `a mark comes back out of a frame`(sender: Int, number: Int) throws {
        let mark = BenchMark(sender: sender, number: number)
        let content = mark.content(bytes: BenchMark.leastContentBytes)
        #expect(content.count == BenchMark.leastContentBytes)
        let text = String(decoding: content, as: UTF8.self)
        let frame = ByteBuffer(string: "...{\"Sender\":\"bench-sender-0\",\"context\":\"\(text)\",\"roomId\":\"x\"}...")
        #expect(BenchMark(in: frame, at: 3, count: frame.readableBytes - 6) == mark)
        #expect(BenchMark(content: text) == mark)
    }

    @Test(arguments: ["", "no mark", "@", "@1", "@1:", "@1:2", "@1@", "@:x@", "@1:2:3@", "@-1:2@"])
    func `what is no mark isn't taken for one`(text: String) {
        let buffer = ByteBuffer(string: text)
        #expect(BenchMark(in: buffer, at: 0, count: buffer.readableBytes) == nil)
        #expect(BenchMark(content: text) == nil)
    }

    @Test(arguments: [0, 1, 125, 126, 127, 65_535, 65_536])
    func `a header tells the frame's size, and half a header nothing`(count: Int) throws {
        var frame = ByteBuffer(bytes: [0x81])
        switch count {
        case 0...125: frame.writeInteger(UInt8(count))
        case 126...65_535:
            frame.writeInteger(126 as UInt8)
            frame.writeInteger(UInt16(count))
        default:
            frame.writeInteger(127 as UInt8)
            frame.writeInteger(UInt64(count))
        }
        for length in 0..<frame.readableBytes {
            #expect(try BenchFrame.header(in: try #require(frame.getSlice(at: 0, length: length))) == nil)
        }
        let header = BenchFrame.Header(opcode: .text, headerBytes: frame.readableBytes, payloadBytes: count)
        #expect(try BenchFrame.header(in: frame) == header)
    }

    @Test(arguments: [[0x01, 0x00], [0xC1, 0x00], [0x83, 0x00], [0x81, 0x80]] as [[UInt8]])
    func `a frame that a server has no reason to send is refused`(bytes: [UInt8]) {
        #expect(throws: BenchFailure.self) { try BenchFrame.header(in: ByteBuffer(bytes: bytes)) }
    }

    @Test(arguments: [0, 5, 125, 126, 65_536])
    func `a client's frame is masked, and unmasks to its payload`(count: Int) throws {
        let payload = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
        var frame = ByteBuffer()
        BenchFrame.append(.text, payload, to: &frame)
        let extended = count < 126 ? 0 : count < 65_536 ? 2 : 8
        #expect(frame.readableBytes == 6 + extended + count)
        #expect(frame.getInteger(at: 0, as: UInt8.self) == 0x81)
        #expect(frame.getInteger(at: 1, as: UInt8.self).map { $0 & 0x80 } == 0x80)
        let key = try #require(frame.getBytes(at: 2 + extended, length: 4))
        let masked = try #require(frame.getBytes(at: 6 + extended, length: count))
        #expect(masked.enumerated().map { $1 ^ key[$0 & 3] } == payload)
    }

    @Test func `every order that keeps each sender's is taken, and told from the others`() throws {
        // Two senders with two messages each: 0a 0b 1a 1b in the six orders that keep a before b.
        var orders: Set<UInt64> = []
        for senders in [[0, 0, 1, 1], [0, 1, 0, 1], [0, 1, 1, 0], [1, 0, 0, 1], [1, 0, 1, 0], [1, 1, 0, 0]] {
            var tally = FanoutTally(senders: 2, each: 2)
            var next = [0, 0]
            for sender in senders {
                #expect(!tally.isComplete)
                try tally.receive(BenchMark(sender: sender, number: next[sender]))
                next[sender] += 1
            }
            #expect(tally.isComplete)
            orders.insert(tally.order)
        }
        #expect(orders.count == 6)
    }

    @Test(arguments: [
        ([(0, 0), (0, 0)], "message 0 of sender 0 came again or late"),
        ([(0, 1)], "message 1 of sender 0 came while 0 was due"),
        ([(1, 0)], "message 0 of sender 1 was never sent"),
        ([(0, 2)], "message 2 of sender 0 was never sent"),
    ])
    func `a message lost, repeated or invented is found`(marks: [(Int, Int)], reason: String) {
        var tally = FanoutTally(senders: 1, each: 2)
        let failure = #expect(throws: BenchFailure.self) {
            for (sender, number) in marks { try tally.receive(BenchMark(sender: sender, number: number)) }
        }
        #expect(failure?.description == reason)
    }

    @Test func `a sender keeps a bounded number of messages on their way`() throws {
        var sender = FanoutSender(sender: 0, room: "r", messages: 600, bytes: 24, progress: FanoutProgress())
        var output = ByteBuffer()
        sender.wake(&output)
        let first = output.readableBytes
        for number in 0..<600 {
            let reply = ByteBuffer(
                string: #"{"code":50003,"content":"","reply":1,"offset":\#(number + 9),"ref":\#(number)}"#
            )
            var more = ByteBuffer()
            try sender.receive(reply, at: 0, count: reply.readableBytes, &more)
            #expect((more.readableBytes > 0) == (number < 600 - 512))
        }
        #expect(first > 512 * 24)
        #expect(sender.isDone)
        #expect(sender.acknowledged == Array(9..<609))
    }

    @Test(arguments: [
        #"{"code":50030,"content":"full","ref":0}"#, #"{"code":50002,"ref":0}"#, #"{"code":50002,"offset":1,"ref":1}"#,
        "no JSON",
    ])
    func `an answer that is no ack of the message that is due fails`(text: String) {
        var sender = FanoutSender(sender: 0, room: "r", messages: 2, bytes: 24, progress: FanoutProgress())
        var output = ByteBuffer()
        sender.wake(&output)
        let reply = ByteBuffer(string: text)
        #expect(throws: (any Error).self) { try sender.receive(reply, at: 0, count: reply.readableBytes, &output) }
    }

    @Test func `the report tells deliveries a second and that commits are on disk`() throws {
        let bench = FanoutBench(subscribers: 10, messages: 100, senders: 2, bytes: 50)
        let report = FanoutReport(bench: bench, seconds: 0.5, cpuMicroseconds: 2500)
        #expect(report.lines.joined().contains("fsync"))
        #expect(
            report.lines.last == "1,000 deliveries in 0.500 s: 2,000 deliveries/s, 2.50 µs of processor time each "
                + "(server and clients together)"
        )
        #expect(try report.json().contains("\"deliveries_per_second\":2000"))
    }
}
