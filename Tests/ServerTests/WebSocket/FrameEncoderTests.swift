import NIOCore
import Testing

@testable import Server

@Suite struct FrameEncoderTests {
    /// A frame as the RFC describes it, byte by byte.
    private func reference(_ first: UInt8, _ payload: [UInt8]) -> [UInt8] {
        let count = payload.count
        if count < 126 { return [first, UInt8(count)] + payload }
        if count < 65_536 { return [first, 126, UInt8(count >> 8), UInt8(count & 255)] + payload }
        return [first, 127, 0, 0, 0, 0] + (0..<4).reversed().map { UInt8(count >> (8 * $0) & 255) } + payload
    }

    static let lengths = [0, 1, 125, 126, 127, 65_535, 65_536, 70_000]

    @Test(arguments: lengths)
    func `a frame has the shortest head that its length allows`(length: Int) {
        let payload = FrameDecoderTests.bytes(length)
        var buffer = ByteBuffer()
        buffer.writeFrame(.binary, payload: payload.span)
        #expect(Array(buffer.readableBytesView) == reference(0x82, payload))
    }

    @Test(arguments: lengths, lengths)
    func `a frame of unknown length has the same bytes, whatever was guessed`(length: Int, guess: Int) {
        let payload = FrameDecoderTests.bytes(length)
        var buffer = ByteBuffer(bytes: [9, 9, 9])
        let frame = buffer.beginFrame(expectingPayloadBytes: guess)
        buffer.writeBytes(payload)
        buffer.finishFrame(frame)
        let next = buffer.beginFrame()
        buffer.finishFrame(next, .continuation, isFinal: false)
        #expect(Array(buffer.readableBytesView) == [9, 9, 9] + reference(0x81, payload) + [0x00, 0])
    }

    @Test(arguments: lengths)
    func `a frame that has room for any head and nothing before it isn't moved`(length: Int) {
        let payload = FrameDecoderTests.bytes(length)
        var buffer = ByteBuffer()
        let frame = buffer.beginFrame(expectingPayloadBytes: .max)
        buffer.writeBytes(payload)
        let end = buffer.writerIndex
        buffer.finishFrame(frame, .continuation, isFinal: false)
        #expect(Array(buffer.readableBytesView) == reference(0x00, payload))
        #expect(buffer.writerIndex == end)
    }

    @Test
    func `a frame that begins where bytes were read off is finished in place`() {
        var buffer = ByteBuffer(bytes: [1, 2, 3, 4])
        _ = buffer.readInteger(as: UInt16.self)
        let frame = buffer.beginFrame()
        buffer.writeBytes([5, 6])
        buffer.finishFrame(frame)
        #expect(Array(buffer.readableBytesView) == [3, 4, 0x81, 2, 5, 6])
    }

    @Test
    func `a long message goes out in fragments`() {
        var buffer = ByteBuffer()
        buffer.writeFrame(.text, isFinal: false, payload: [1].span)
        buffer.writeFrame(.continuation, isFinal: false, payload: [2].span)
        buffer.writeFrame(.continuation, payload: [3].span)
        #expect(Array(buffer.readableBytesView) == [0x01, 1, 1, 0x00, 1, 2, 0x80, 1, 3])
    }

    @Test
    func `a pong carries what the ping carried`() {
        var buffer = ByteBuffer()
        buffer.writeFrame(.pong, payload: FrameDecoderTests.bytes(125).span)
        #expect(Array(buffer.readableBytesView) == [0x8a, 125] + FrameDecoderTests.bytes(125))
    }

    @Test
    func `a close frame carries a status and a reason, or nothing`() {
        var buffer = ByteBuffer()
        buffer.writeCloseFrame(code: nil)
        buffer.writeCloseFrame(code: 1001)
        buffer.writeCloseFrame(code: 1009, reason: "ok")
        #expect(Array(buffer.readableBytesView) == [0x88, 0, 0x88, 2, 0x03, 0xe9, 0x88, 4, 0x03, 0xf1, 0x6f, 0x6b])
    }

    @Test(arguments: [0, 1, 2, 3])
    func `too long a reason is cut between two characters`(offset: Int) throws {
        var buffer = ByteBuffer()
        buffer.writeCloseFrame(
            code: 1000,
            reason: String(repeating: "x", count: offset) + String(repeating: "再", count: 50)
        )
        let bytes = Array(buffer.readableBytesView)
        #expect(bytes.count == 2 + Int(bytes[1]))
        #expect((121...125).contains(bytes[1]))
        #expect(String(validating: bytes[4...], as: UTF8.self) != nil)
    }

    @Test(arguments: lengths)
    func `what the encoder writes the decoder reads, once it is masked`(length: Int) throws {
        let payload = [UInt8](repeating: 0x61, count: length)
        var buffer = ByteBuffer()
        buffer.writeFrame(.text, payload: payload.span)
        let bytes = Array(buffer.readableBytesView)
        let headerBytes = ByteBuffer.frameHeaderBytes(payloadBytes: length)
        // A key of zeros masks nothing: only the mask bit and the key itself are missing.
        let masked = [bytes[0], bytes[1] | 0x80] + bytes[2..<headerBytes] + [0, 0, 0, 0] + bytes[headerBytes...]
        var decoder = FrameDecoder(maximumFrameBytes: 70_000, maximumMessageBytes: 70_000)
        #expect(decoder.decodeAll([masked]) == [.frame(.text, payload)])
    }
}
