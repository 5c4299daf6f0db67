import Testing

@testable import Server

/// A binary message may carry bytes that are no UTF-8.
@Suite struct BinaryFrameTests {
    private func content(_ bytes: [UInt8]) throws -> ClientFrame.Content {
        let frame = Array(#"{"content":""#.utf8) + bytes + Array(#""}"#.utf8)
        return try ClientFrame.parse(frame.span, isUTF8: false).content
    }

    private func repaired(_ bytes: [UInt8]) -> [UInt8]? { UTF8Repair.repaired(bytes.span) }

    // From Go: json.Unmarshal of these bytes in a string.
    @Test(arguments: [
        (Array("grüß 🦙".utf8), "grüß 🦙"),
        ([0xff], "\u{fffd}"),
        ([0x61, 0xff, 0x62], "a\u{fffd}b"),
        ([0xc0, 0xaf], "\u{fffd}\u{fffd}"),
        ([0xe4, 0xbd], "\u{fffd}\u{fffd}"),
        ([0xe4, 0xbd, 0x61], "\u{fffd}\u{fffd}a"),
        ([0xed, 0xa0, 0x80], "\u{fffd}\u{fffd}\u{fffd}"),
        ([0xf0, 0x9f, 0xa6], "\u{fffd}\u{fffd}\u{fffd}"),
        ([0xf4, 0x90, 0x80, 0x80], "\u{fffd}\u{fffd}\u{fffd}\u{fffd}"),
        ([0xe4, 0xf0, 0x9f, 0xa6, 0x99], "\u{fffd}🦙"),
    ])
    func `each byte that belongs to no character becomes one U+FFFD`(bytes: [UInt8], text: String) throws {
        #expect(try content(bytes) == .text(Array(text.utf8)))
    }

    @Test
    func `what is UTF-8 is not copied`() {
        #expect(repaired(Array("grüß 🦙".utf8)) == nil)
        #expect(repaired([]) == nil)
    }

    @Test
    func `a bad byte outside of a string is no JSON`() {
        let bytes: [UInt8] = [0x7b, 0xff, 0x7d]
        #expect(throws: BadRequest.self) { _ = try ClientFrame.parse(bytes.span, isUTF8: false) }
    }

    @Test(arguments: [UInt64(11), 12])
    func `what comes out of random bytes is UTF-8`(seed: UInt64) {
        print("seed \(seed)")
        var random = SplitMix64(seed: seed)
        for _ in 0..<1000 {
            let bytes = (0..<Int.random(in: 0...40, using: &random)).map { _ in
                [0x61, 0x80, 0xbf, 0xc3, 0xe4, 0xed, 0xf0, 0xf4, UInt8.random(in: 0...255, using: &random)]
                    .randomElement(using: &random) ?? 0
            }
            let isUTF8 = String(validating: bytes, as: UTF8.self) != nil
            let repaired = repaired(bytes)
            #expect((repaired == nil) == isUTF8, "seed \(seed)")
            if let repaired { #expect(String(validating: repaired, as: UTF8.self) != nil, "seed \(seed)") }
        }
    }
}
