import NIOCore
import Testing

@testable import Server

/// A stream of frames means the same however the network cuts it, and no bytes bring the decoder down.
@Suite struct FrameSplitTests {
    private static let stream: [UInt8] = [
        ClientFrames.text("grüß 你好 🦙"), ClientFrames.frame(0x82, FrameDecoderTests.bytes(130)),
        ClientFrames.frame(0x01, [0x61, 0xf0, 0x9f]), ClientFrames.frame(0x89, [1, 2, 3]),
        ClientFrames.frame(0x00, [0xa6]), ClientFrames.frame(0x80, [0x99, 0x62]), ClientFrames.text(""),
        ClientFrames.close(1000, Array("再见".utf8)),
    ].flatMap { $0 }

    private static let events: [DecodedEvent] = [
        .text("grüß 你好 🦙"), .frame(.binary, FrameDecoderTests.bytes(130)), .frame(.ping, [1, 2, 3]), .text("a🦙b"),
        .text(""), .frame(.close(1000), Array("再见".utf8)),
    ]

    private func decoder() -> FrameDecoder { FrameDecoder(maximumFrameBytes: 1000, maximumMessageBytes: 1000) }

    @Test
    func `every prefix gives the first events, and the rest gives the others`() {
        for cut in 0...Self.stream.count {
            var prefix = decoder()
            let early = prefix.decodeAll([Array(Self.stream[..<cut])])
            #expect(early == Array(Self.events.prefix(early.count)))
            var both = decoder()
            #expect(both.decodeAll([Array(Self.stream[..<cut]), Array(Self.stream[cut...])]) == Self.events)
        }
    }

    @Test
    func `every split in three gives the same`() {
        var wrong: [(Int, Int)] = []
        for first in 0...Self.stream.count {
            for second in stride(from: first, through: Self.stream.count, by: 7) {
                var decoder = decoder()
                let pieces = [Self.stream[..<first], Self.stream[first..<second], Self.stream[second...]].map(
                    Array.init
                )
                if decoder.decodeAll(pieces) != Self.events { wrong.append((first, second)) }
            }
        }
        #expect(wrong.isEmpty, "cut at \(wrong)")
    }

    @Test
    func `byte by byte gives the same`() {
        var decoder = decoder()
        #expect(decoder.decodeAll(Self.stream.map { [$0] }) == Self.events)
    }

    @Test
    func `an incomplete frame of every length stays in the buffer untouched`() throws {
        let frame = ClientFrames.frame(0x82, FrameDecoderTests.bytes(130))
        for count in 0..<frame.count {
            var decoder = decoder()
            var scratch: [UInt8] = []
            var buffer = ByteBuffer(bytes: frame[..<count])
            #expect(try decoder.decode(&buffer, scratch: &scratch) { _, _ in .goOn } == .hungry)
            #expect(Array(buffer.readableBytesView) == Array(frame[..<count]))
        }
    }

    @Test
    func `payloads of every length up to 100 come out as they went in, wherever the frame begins`() {
        var wrong: [(Int, Int)] = []
        for count in 0...100 {
            for offset in 0..<8 {
                var decoder = decoder()
                let before = ClientFrames.frame(0x8a, FrameDecoderTests.bytes(offset))
                let events = decoder.decodeAll([before + ClientFrames.frame(0x82, FrameDecoderTests.bytes(count))])
                if events.last != .frame(.binary, FrameDecoderTests.bytes(count)) { wrong.append((count, offset)) }
            }
        }
        #expect(wrong.isEmpty, "length and offset: \(wrong)")
    }

    @Test(arguments: [UInt64(1), 2, 3, 4])
    func `random bytes never bring it down, whatever the split`(seed: UInt64) {
        print("seed \(seed)")
        var random = SplitMix64(seed: seed)
        for _ in 0..<500 {
            // Mostly plausible heads, or nearly all would end at the first byte.
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let first = [0x01, 0x81, 0x00, 0x80, 0x82, 0x89, 0x88, UInt8.random(in: 0...255, using: &random)]
                let payload = (0..<Int.random(in: 0...140, using: &random)).map { _ in
                    UInt8.random(in: 0...(Bool.random(using: &random) ? 127 : 255), using: &random)
                }
                bytes += ClientFrames.frame(first.randomElement(using: &random) ?? 0, payload)
            }
            for _ in 0..<Int.random(in: 0...2, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            var whole = decoder()
            var split = decoder()
            let cut = Int.random(in: 0...bytes.count, using: &random)
            let events = whole.decodeAll([bytes])
            #expect(events == split.decodeAll([Array(bytes[..<cut]), Array(bytes[cut...])]), "seed \(seed)")
            let texts = events.compactMap { if case .frame(.text, let payload) = $0 { payload } else { nil } }
            #expect(texts.allSatisfy { String(validating: $0, as: UTF8.self) != nil }, "seed \(seed)")
        }
    }
}
