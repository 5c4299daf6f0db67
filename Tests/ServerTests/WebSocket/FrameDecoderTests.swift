import NIOCore
import Testing

@testable import Server

/// The rules of RFC 6455, one by one, and our limits.
@Suite struct FrameDecoderTests {
    /// What a client sends, and what must come of it.
    struct Example: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let bytes: [UInt8]
        let events: [DecodedEvent]

        init(_ description: String, _ frames: [UInt8]..., gives events: DecodedEvent...) {
            testDescription = description
            bytes = frames.flatMap { $0 }
            self.events = events
        }
    }

    static let accepted: [Example] = [
        Example("an empty text", ClientFrames.text(""), gives: .text("")),
        Example("a text", ClientFrames.text("grüß 你好 🦙"), gives: .text("grüß 你好 🦙")),
        Example(
            "a binary message of any bytes",
            ClientFrames.frame(0x82, [0xff, 0, 0x80]),
            gives: .frame(.binary, [0xff, 0, 0x80])
        ),
        Example("a ping without payload", ClientFrames.frame(0x89, []), gives: .frame(.ping, [])),
        Example("a ping of 125 bytes", ClientFrames.frame(0x89, bytes(125)), gives: .frame(.ping, bytes(125))),
        Example("an unasked pong", ClientFrames.frame(0x8a, [1]), gives: .frame(.pong, [1])),
        Example("a length of 125", ClientFrames.frame(0x82, bytes(125)), gives: .frame(.binary, bytes(125))),
        Example("a length of 126", ClientFrames.frame(0x82, bytes(126)), gives: .frame(.binary, bytes(126))),
        Example("a length of 65,535", ClientFrames.frame(0x82, bytes(65_535)), gives: .frame(.binary, bytes(65_535))),
        Example("a length of 65,536", ClientFrames.frame(0x82, bytes(65_536)), gives: .frame(.binary, bytes(65_536))),
        Example(
            "fragments with control frames between them",
            ClientFrames.frame(0x01, Array("He".utf8)),
            ClientFrames.frame(0x89, [7]),
            ClientFrames.frame(0x00, []),
            ClientFrames.frame(0x8a, []),
            ClientFrames.frame(0x80, Array("llo".utf8)),
            ClientFrames.text("next"),
            gives: .frame(.ping, [7]),
            .frame(.pong, []),
            .text("Hello"),
            .text("next")
        ),
        Example(
            "a binary message in fragments",
            ClientFrames.frame(0x02, [0xff]),
            ClientFrames.frame(0x80, [0xc0]),
            gives: .frame(.binary, [0xff, 0xc0])
        ),
        Example(
            "a character across three fragments",
            ClientFrames.frame(0x01, [0x61, 0xf0]),
            ClientFrames.frame(0x00, [0x9f, 0xa6]),
            ClientFrames.frame(0x80, [0x99]),
            gives: .text("a🦙")
        ),
        Example("a close without status", ClientFrames.frame(0x88, []), gives: .frame(.close(nil), [])),
        Example(
            "nothing counts after a close",
            ClientFrames.close(1000),
            [0xff, 0xff],
            gives: .frame(.close(1000), [])
        ),
        Example(
            "a close with a reason",
            ClientFrames.close(1001, Array("bye 再见".utf8)),
            gives: .frame(.close(1001), Array("bye 再见".utf8))
        ),
    ]

    static let refused: [Example] = [
        Example("an unmasked frame", [0x81, 0x02, 0x61, 0x62], gives: .violation(1002)),
        Example("RSV1", ClientFrames.frame(0xc1, []), gives: .violation(1002)),
        Example("RSV2", ClientFrames.frame(0xa1, []), gives: .violation(1002)),
        Example("RSV3", ClientFrames.frame(0x91, []), gives: .violation(1002)),
        Example("a ping in fragments", ClientFrames.frame(0x09, []), gives: .violation(1002)),
        Example("a close in fragments", ClientFrames.frame(0x08, []), gives: .violation(1002)),
        Example("a ping of 126 bytes", ClientFrames.frame(0x89, bytes(126)), gives: .violation(1002)),
        Example("a continuation of nothing", ClientFrames.frame(0x80, []), gives: .violation(1002)),
        Example(
            "a continuation after a whole message",
            ClientFrames.text("a"),
            ClientFrames.frame(0x80, []),
            gives: .text("a"),
            .violation(1002)
        ),
        Example(
            "a text within a message",
            ClientFrames.frame(0x01, []),
            ClientFrames.text("a"),
            gives: .violation(1002)
        ),
        Example(
            "a binary within a message",
            ClientFrames.frame(0x01, []),
            ClientFrames.frame(0x82, []),
            gives: .violation(1002)
        ),
        Example("125 in three bytes", ClientFrames.frame(0x82, bytes(125), width: 2), gives: .violation(1002)),
        Example("65,535 in nine bytes", ClientFrames.frame(0x82, bytes(65_535), width: 8), gives: .violation(1002)),
        Example("a length with its highest bit", [0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0], gives: .violation(1002)),
        Example("the longest length", [0x82, 0xff, 0x7f, 255, 255, 255, 255, 255, 255, 255], gives: .violation(1009)),
        Example("text that is no UTF-8", ClientFrames.frame(0x81, [0x61, 0xff]), gives: .violation(1007)),
        Example(
            "text with half a surrogate pair",
            ClientFrames.frame(0x81, [0xed, 0xa0, 0x80]),
            gives: .violation(1007)
        ),
        Example("text in too long a form", ClientFrames.frame(0x81, [0xc0, 0xaf]), gives: .violation(1007)),
        Example("text that ends within a character", ClientFrames.frame(0x81, [0xe4, 0xbd]), gives: .violation(1007)),
        Example(
            "fragments that end within a character",
            ClientFrames.frame(0x01, [0xe4]),
            ClientFrames.frame(0x80, [0xbd]),
            gives: .violation(1007)
        ),
        Example("a bad fragment, before the message ends", ClientFrames.frame(0x01, [0xff]), gives: .violation(1007)),
        Example(
            "a bad end of a character, before the message ends",
            ClientFrames.frame(0x01, [0xe4]),
            ClientFrames.frame(0x00, [0x61]),
            gives: .violation(1007)
        ),
        Example("a close of one byte", ClientFrames.frame(0x88, [3]), gives: .violation(1002)),
        Example("a close whose reason is no UTF-8", ClientFrames.close(1000, [0xff]), gives: .violation(1007)),
        Example(
            "nothing counts after a violation",
            ClientFrames.frame(0x80, []),
            ClientFrames.text("a"),
            gives: .violation(1002)
        ),
    ]

    @Test(arguments: accepted + refused)
    func `every rule holds`(example: Example) {
        var decoder = FrameDecoder(maximumFrameBytes: 70_000, maximumMessageBytes: 70_000)
        #expect(decoder.decodeAll([example.bytes]) == example.events)
    }

    @Test(arguments: UInt8(0)...15)
    func `only the opcodes of the RFC are known`(opcode: UInt8) {
        var decoder = FrameDecoder(maximumFrameBytes: 100, maximumMessageBytes: 100)
        let events = decoder.decodeAll([ClientFrames.frame(0x80 | opcode, [])])
        #expect((events != [.violation(1002)]) == [1, 2, 8, 9, 10].contains(opcode))
    }

    @Test
    func `a close may carry the statuses of the RFC, of IANA and of applications`() {
        let taken = (Array(0...5100) + [9999, 32_767, 32_768, 65_535]).filter { code in
            var decoder = FrameDecoder(maximumFrameBytes: 100, maximumMessageBytes: 100)
            let events = decoder.decodeAll([ClientFrames.close(UInt16(code))])
            return events == [.frame(.close(UInt16(code)), [])] || events != [.violation(1002)]
        }
        #expect(taken == Array(1000...1003) + Array(1007...1014) + Array(3000...4999))
    }

    @Test
    func `a frame may be as long as the limit and no longer`() {
        var decoder = FrameDecoder(maximumFrameBytes: 200, maximumMessageBytes: 1000)
        #expect(decoder.decodeAll([ClientFrames.frame(0x82, Self.bytes(200))]) == [.frame(.binary, Self.bytes(200))])
        #expect(decoder.decodeAll([ClientFrames.header(0x82, payloadBytes: 201)]) == [.violation(1009)])
    }

    @Test
    func `a message may be as long as the limit and no longer`() {
        let first = ClientFrames.frame(0x02, Self.bytes(200))
        var decoder = FrameDecoder(maximumFrameBytes: 200, maximumMessageBytes: 300)
        let whole = DecodedEvent.frame(.binary, Self.bytes(200) + Self.bytes(100))
        #expect(decoder.decodeAll([first, ClientFrames.frame(0x80, Self.bytes(100))]) == [whole])
        #expect(decoder.decodeAll([first, ClientFrames.header(0x80, payloadBytes: 101)]) == [.violation(1009)])
    }

    @Test
    func `too long a frame is refused before its payload is there, with the masking key yet to come`() {
        var decoder = FrameDecoder(maximumFrameBytes: 200, maximumMessageBytes: 200)
        #expect(decoder.decodeAll([[0x82, 0xfe, 0xff, 0xff]]) == [.violation(1009)])
    }

    @Test
    func `whoever takes frames may stop after each, and the rest stays in the buffer`() throws {
        var decoder = FrameDecoder(maximumFrameBytes: 100, maximumMessageBytes: 100)
        var scratch: [UInt8] = []
        var buffer = ByteBuffer(
            bytes: ClientFrames.text("one") + ClientFrames.text("two") + ClientFrames.frame(0x89, [])
        )
        let tail = ClientFrames.text("three").prefix(5)
        buffer.writeBytes(tail)
        for expected in [DecodedEvent.text("one"), .text("two"), .frame(.ping, [])] {
            var events: [DecodedEvent] = []
            let outcome = try decoder.decode(&buffer, scratch: &scratch) { frame, payload in
                events.append(.frame(frame, [UInt8](copying: payload)))
                return .stop
            }
            #expect(events == [expected])
            #expect(outcome == .stopped)
        }
        let outcome = try decoder.decode(&buffer, scratch: &scratch) { _, _ in .stop }
        #expect(outcome == .hungry)
        #expect(Array(buffer.readableBytesView) == Array(tail))
    }

    @Test
    func `what takes frames can end the connection`() {
        var decoder = FrameDecoder(maximumFrameBytes: 100, maximumMessageBytes: 100)
        var scratch: [UInt8] = []
        var buffer = ByteBuffer(bytes: ClientFrames.text("one") + ClientFrames.text("two"))
        let violation = ProtocolViolation(closeCode: 4000, reason: "enough")
        #expect(throws: violation) {
            _ = try decoder.decode(&buffer, scratch: &scratch) { _, _ throws(ProtocolViolation) in throw violation }
        }
        #expect(buffer.readableBytes == 0)
        #expect(decoder.decodeAll([ClientFrames.text("three")]) == [])
    }

    @Test
    func `after a close it says so and drops what comes`() throws {
        var decoder = FrameDecoder(maximumFrameBytes: 100, maximumMessageBytes: 100)
        var scratch: [UInt8] = []
        var buffer = ByteBuffer(bytes: ClientFrames.close(1000) + ClientFrames.text("late"))
        #expect(try decoder.decode(&buffer, scratch: &scratch) { _, _ in .stop } == .closed)
        #expect(buffer.readableBytes == 0)
    }

    @Test
    func `every reason fits a close frame`() {
        for example in Self.refused {
            var decoder = FrameDecoder(maximumFrameBytes: 70_000, maximumMessageBytes: 70_000)
            var scratch: [UInt8] = []
            var buffer = ByteBuffer(bytes: example.bytes)
            #expect { try decoder.decode(&buffer, scratch: &scratch) { _, _ in .goOn } } throws: { error in
                let reason = (error as? ProtocolViolation)?.reason ?? ""
                return !reason.isEmpty && reason.utf8.count <= 123 && reason.utf8.allSatisfy { $0 < 0x80 }
            }
        }
    }

    static func bytes(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ 200) } }
}
