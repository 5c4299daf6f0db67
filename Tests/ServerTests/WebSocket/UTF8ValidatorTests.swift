import Testing

@testable import Server

@Suite struct UTF8ValidatorTests {
    private func isValid(_ pieces: ArraySlice<UInt8>...) -> Bool {
        var validator = UTF8Validator()
        for piece in pieces {
            let bytes = Array(piece)
            guard validator.consume(bytes.span) else { return false }
        }
        return validator.isComplete
    }

    private func isMisjudged(_ bytes: [UInt8]) -> Bool {
        isValid(bytes[...]) != (String(validating: bytes, as: UTF8.self) != nil)
    }

    @Test
    func `it agrees with the standard library on every two bytes`() {
        let pairs = (0...255).flatMap { first in (0...255).map { second in [UInt8(first), UInt8(second)] } }
        #expect(pairs.filter(isMisjudged) == [])
    }

    @Test
    func `it agrees with the standard library on the borders of longer characters`() {
        let leads: [UInt8] = [
            0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff,
        ]
        let borders: [UInt8] = [0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0]
        for lead in leads {
            let texts = borders.flatMap { second in
                borders.flatMap { third in borders.map { fourth in [lead, second, third, fourth] } }
            }
            #expect(texts.filter(isMisjudged) == [])
        }
    }

    @Test
    func `every character up to U+10FFFF in steps is valid, and no beginning of it is`() {
        let scalars = stride(from: UInt32(0x80), through: 0x10_ffff, by: 251).compactMap { Unicode.Scalar($0) }
        let misjudged = scalars.filter { scalar in
            let bytes = Array(String(scalar).utf8)
            return !isValid(bytes[...])
                || (1..<bytes.count).contains { isValid(bytes[..<$0]) || !isValid(bytes[..<$0], bytes[$0...]) }
        }
        #expect(misjudged == [])
    }

    @Test
    func `a bad byte is found at every place of a long text`() {
        let text = Array("A text with ä, 你 and 🦙, longer than two words of eight bytes each.".utf8)
        for place in text.indices {
            var bytes = text
            bytes[place] = 0xff
            #expect(!isValid(bytes[...]))
            #expect(isValid(text[..<place], text[place...]))
        }
    }
}
