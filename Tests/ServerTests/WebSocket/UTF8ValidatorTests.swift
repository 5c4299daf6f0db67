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

    @Test
    func `it agrees with the standard library on every two bytes`() {
        for first in UInt8.min...255 {
            for second in UInt8.min...255 {
                let bytes = [first, second]
                #expect(isValid(bytes[...]) == (String(validating: bytes, as: UTF8.self) != nil))
            }
        }
    }

    @Test
    func `it agrees with the standard library on the borders of longer characters`() {
        let borders: [UInt8] = [0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff]
        for lead in UInt8(0xc0)...255 {
            for second in borders {
                for third in borders {
                    for fourth in borders {
                        let bytes = [lead, second, third, fourth]
                        #expect(isValid(bytes[...]) == (String(validating: bytes, as: UTF8.self) != nil))
                    }
                }
            }
        }
    }

    @Test
    func `every character up to U+10FFFF in steps is valid, and no beginning of it is`() {
        for value in stride(from: UInt32(0x80), through: 0x10_ffff, by: 61) {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let bytes = Array(String(scalar).utf8)
            #expect(isValid(bytes[...]))
            for count in 1..<bytes.count {
                #expect(!isValid(bytes[..<count]))
                #expect(isValid(bytes[..<count], bytes[count...]))
            }
        }
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
