import Testing

@testable import Broker

@Suite struct JSONEscapeTests {
    /// The escape of every character for itself, the plain way.
    private func reference(_ text: [UInt8]) -> [UInt8] {
        text.flatMap { byte -> [UInt8] in
            switch byte {
            case 0x22: Array(#"\""#.utf8)
            case 0x5c: Array(#"\\"#.utf8)
            case 0x08: Array(#"\b"#.utf8)
            case 0x09: Array(#"\t"#.utf8)
            case 0x0a: Array(#"\n"#.utf8)
            case 0x0c: Array(#"\f"#.utf8)
            case 0x0d: Array(#"\r"#.utf8)
            case 0..<0x20: Array((byte < 16 ? #"\u000"# : #"\u00"#).utf8) + Array(String(byte, radix: 16).utf8)
            default: [byte]
            }
        }
    }

    @Test
    func `every byte at every place of a text is escaped if it must be`() {
        var wrong: [(UInt8, Int)] = []
        for byte in UInt8.min...255 {
            for place in 0...17 {
                var text = [UInt8](repeating: 0x80, count: 18)
                text[place] = byte
                var escaped: [UInt8] = [1, 2]
                JSONEscape.append(text.span, to: &escaped)
                if escaped != [1, 2] + reference(text) { wrong.append((byte, place)) }
            }
        }
        #expect(wrong.isEmpty, "byte and place: \(wrong)")
    }

    @Test
    func `two neighbours are both escaped, whichever they are`() {
        let special: [UInt8] = [0x00, 0x1f, 0x20, 0x21, 0x22, 0x23, 0x5b, 0x5c, 0x5d, 0x7f, 0x80, 0xa2, 0xdc, 0xff]
        var wrong: [[UInt8]] = []
        for first in special {
            for second in special {
                for place in 0...8 {
                    var text = [UInt8](repeating: 0x61, count: 12)
                    text[place] = first
                    text[place + 1] = second
                    var escaped: [UInt8] = []
                    JSONEscape.append(text.span, to: &escaped)
                    if escaped != reference(text) { wrong.append(text) }
                }
            }
        }
        #expect(wrong == [])
    }

    @Test
    func `the empty text stays empty`() {
        var escaped: [UInt8] = []
        let empty: [UInt8] = []
        JSONEscape.append(empty.span, to: &escaped)
        #expect(escaped == [])
    }
}
