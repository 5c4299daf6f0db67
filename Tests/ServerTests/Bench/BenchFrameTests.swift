import Foundation
import NIOCore
import Testing

@testable import Server

/// What a benchmark's client writes and reads.
struct BenchFrameTests {
    @Test(arguments: [(0, 0), (0, 17), (999, 99_999_999)])
    func `a mark comes back out of a frame`(sender: Int, number: Int) throws {
        let mark = BenchMark(sender: sender, number: number)
        let content = mark.content(bytes: BenchMark.leastContentBytes)
        #expect(content.count == BenchMark.leastContentBytes)
        let text = String(decoding: content, as: UTF8.self)
        let frame = Array("{\"Sender\":\"bench-sender-0\",\"context\":\"\(text)\",\"roomId\":\"x\"}".utf8)
        #expect(Self.mark(in: frame) == mark)
        // Where it was last time, where it is, nowhere near, and behind the end.
        for guess in [0, 3, 37, 38, frame.count, 1000] {
            var place = guess
            let found = BenchMark(in: frame.span, near: &place)
            #expect(found == mark)
            #expect(frame[place] == UInt8(ascii: "@"))
        }
    }

    @Test(arguments: ["", "no mark", "@", "@1", "@1:", "@1:2", "@1@", "@:x@", "@1:2:3@", "@-1:2@"])
    func `what is no mark isn't taken for one`(text: String) {
        #expect(Self.mark(in: Array(text.utf8)) == nil)
    }

    @Test func `marks are found one after the other, whatever the guess`() throws {
        let bytes = Array("..@0:000000007@..@0:000000006@.....@0:000000005@".utf8)
        for guess in 0...20 {
            var end = 0
            for number in [7, 6, 5] {
                let next = BenchMark.next(in: bytes.span, from: end, stride: number == 7 ? 0 : min(guess, 2))
                let found = try #require(next)
                #expect(found.mark == BenchMark(sender: 0, number: number))
                end = found.end
            }
            let none = BenchMark.next(in: bytes.span, from: end, stride: guess) == nil
            #expect(none)
        }
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
        let bytes = Array(buffer: frame)
        for length in bytes.indices {
            #expect(try Self.header(of: Array(bytes.prefix(length))) == nil)
        }
        let header = BenchFrame.Header(opcode: .text, isLast: true, headerBytes: bytes.count, payloadBytes: count)
        #expect(try Self.header(of: bytes) == header)
        #expect(try Self.header(of: [9, 9] + bytes, at: 2) == header)
        #expect(try Self.header(of: [0x01] + bytes.dropFirst())?.isLast == false)
    }

    @Test(arguments: [[0xC1, 0x00], [0x83, 0x00], [0x81, 0x80]] as [[UInt8]])
    func `a frame that a server has no reason to send is refused`(bytes: [UInt8]) {
        #expect(throws: BenchFailure.self) { try Self.header(of: bytes) }
    }

    @Test(arguments: [0, 5, 125, 126, 65_536])
    func `a client's frame is masked, and unmasks to its payload`(count: Int) throws {
        let payload = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
        var frame = ByteBuffer()
        BenchFrame.append(.text, payload, to: &frame)
        #expect(try unmasked(Array(buffer: frame)) == payload)
    }

    @Test(arguments: [nil, "83e7cbfa-0377-40d2-9a6b-0bdad566ef7c"])
    func `a sender's frames are requests with its marks`(room: String?) throws {
        var frame = SendFrame(sender: 7, room: room, bytes: 150)
        for number in [0, 1, 9, 10, 123_456_789] {
            var output = ByteBuffer()
            frame.append(number, to: &output)
            let payload = try unmasked(Array(buffer: output))
            let request = try #require(try JSONSerialization.jsonObject(with: Data(payload)) as? [String: Any])
            #expect(request["type"] as? Int == 1)
            #expect(request["room"] as? String == room)
            let content = try #require(request["content"] as? String)
            #expect(Array(content.utf8) == BenchMark(sender: 7, number: number).content(bytes: 150))
        }
    }

    @Test(arguments: [0, 125, 126, 65_535, 65_536])
    func `the floor answers in one text frame`(count: Int) throws {
        let answer = [UInt8](repeating: 65, count: count)
        let frame = AnswerFloor.frame(answer)
        let header = try #require(try Self.header(of: frame))
        #expect((header.opcode, header.isLast) == (.text, true))
        #expect(frame.dropFirst(header.headerBytes) == answer[...])
        #expect(header.payloadBytes == count)
    }

    @Test(arguments: [24, 60, 150, 65_536])
    func `the floor's frames are what the server writes to a room socket`(bytes: Int) throws {
        var frame = DeliveryFrame(sender: 3, bytes: bytes)
        var output: [UInt8] = []
        for number in [0, 8, 77] { frame.append(number, to: &output) }
        var position = 0
        for number in [0, 8, 77] {
            let header = try #require(try Self.header(of: output, at: position))
            let end = position + header.frameBytes
            let payload = output[position + header.headerBytes..<end]
            let delivery = try #require(try JSONSerialization.jsonObject(with: Data(payload)) as? [String: String])
            #expect(delivery.keys.sorted() == ["Sender", "context", "roomId"])
            let content = try #require(delivery["context"])
            #expect(Array(content.utf8) == BenchMark(sender: 3, number: number).content(bytes: bytes))
            position = end
        }
        #expect(position == output.count)
    }

    @Test(arguments: [
        (#"{"from":"Server","code":50003,"content":"x","offset":812,"reply":1}"#, 50003, 812),
        (#"{"from":"Server","code":50030,"content":"not stored"}"#, 50030, nil),
        (#"{"code":,"offset":5}"#, nil, 5), ("", nil, nil), ("\"code\":", nil, nil),
    ])
    func `a reply's code and offset are read`(text: String, code: Int?, offset: Int?) {
        let reply = BenchReply(Array(text.utf8).span)
        #expect(reply.code == code)
        #expect(reply.offset.map { Int($0) } == offset)
        #expect(reply.isStored == (code == 50003))
    }

    // A span can't be handed to the macros.
    private static func mark(in bytes: [UInt8]) -> BenchMark? { BenchMark(in: bytes.span) }

    private static func header(of bytes: [UInt8], at start: Int = 0) throws -> BenchFrame.Header? {
        try BenchFrame.header(in: bytes.span, at: start)
    }

    private func unmasked(_ frame: [UInt8]) throws -> [UInt8] {
        #expect(frame[0] == 0x81)
        #expect(frame[1] & 0x80 == 0x80)
        let extended = frame[1] & 0x7F < 126 ? 0 : frame[1] & 0x7F == 126 ? 2 : 8
        let key = frame[2 + extended..<6 + extended]
        return frame[(6 + extended)...].enumerated().map { $1 ^ key[key.startIndex + ($0 & 3)] }
    }
}
