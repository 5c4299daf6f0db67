import Broker
import Foundation
import NIOCore
import Testing

@testable import Server

@Suite struct JSONTextTests {
    private func written(_ write: (inout ByteBuffer) -> Void) -> String {
        var buffer = ByteBuffer()
        write(&buffer)
        return String(decoding: buffer.readableBytesView, as: UTF8.self)
    }

    @Test(arguments: [
        ("", #""""#), ("plain", #""plain""#), ("grüß 你好 🦙", #""grüß 你好 🦙""#), (#"a"b\c/"#, #""a\"b\\c/""#),
        ("\u{8}\t\n\u{c}\r", #""\b\t\n\f\r""#), ("\0\u{1}\u{1f}\u{7f}", "\"\\u0000\\u0001\\u001f\u{7f}\""),
        ("<&>\u{2028}", "\"<&>\u{2028}\""),
        ("a long text with a quote at its end\"", #""a long text with a quote at its end\"""#),
    ])
    func `only what must be escaped is`(text: String, json: String) {
        #expect(written { $0.writeJSONString(text) } == json)
        #expect(written { $0.writeJSONString(Array(text.utf8)) } == json)
        #expect(written { $0.writeJSONString(text.utf8.span) } == json)
        #expect(written { $0.writeJSONEscaped(text.utf8.span) } == String(json.dropFirst().dropLast()))
    }

    @Test
    func `Foundation reads what was written, whichever character stands wherever`() throws {
        for character in (0...0x80).compactMap(Unicode.Scalar.init) {
            for place in 0...9 {
                let text = String(repeating: "é", count: place) + String(character) + "0123456789"
                let json = written { $0.writeJSONString(text) }
                let read = try JSONDecoder().decode(String.self, from: Data(json.utf8))
                if Array(read.utf8) != Array(text.utf8) {
                    Issue.record("\(character.value) at \(place) came out as \(json)")
                }
            }
        }
    }

    @Test(arguments: [
        0, 1, 9, 10, 99, 100, 12_345, 99_999_999, 100_000_000, 100_000_001, 1_000_000_070, 123_456_789_012,
        9_999_999_999_999_999, 10_000_000_000_000_000, 9_007_199_254_740_991, UInt64.max,
    ])
    func `text goes into room that is just enough`(value: UInt64) {
        let text = "{\"n\":" + String(value) + "é}"
        let json = written { buffer in
            buffer.writeWithOutputRawSpan(minimumWritableBytes: text.utf8.count) { output in
                output.write("{\"n\":")
                output.write([UInt8]().span)
                output.writeDecimal(value)
                output.write(Array("é}".utf8).span)
            }
        }
        #expect(json == text)
    }

    @Test func `text that there is no room for is not written`() async {
        await #expect(processExitsWith: .failure) {
            var buffer = ByteBuffer()
            buffer.writeWithOutputRawSpan(minimumWritableBytes: 1) { output in
                let long = [UInt8](repeating: 65, count: output.freeCapacity + 1)
                output.write(long.span)
            }
        }
    }

    @Test(arguments: [1, 7, 8, 9, 20])
    func `a number goes to the very end of the room, and no further`(digits: Int) async {
        let value = digits == 20 ? UInt64.max : UInt64(String(repeating: "7", count: digits)) ?? 0
        var buffer = ByteBuffer()
        var isFull = false
        buffer.writeWithOutputRawSpan(minimumWritableBytes: 32) { output in
            let filling = [UInt8](repeating: 65, count: output.freeCapacity - digits)
            output.write(filling.span)
            output.writeDecimal(value)
            isFull = output.freeCapacity == 0
        }
        #expect(isFull)
        #expect(String(buffer: buffer).hasSuffix("A" + String(value)))
        await #expect(processExitsWith: .failure) { [digits = digits as Int, value = value as UInt64] in
            var buffer = ByteBuffer()
            buffer.writeWithOutputRawSpan(minimumWritableBytes: 32) { output in
                let filling = [UInt8](repeating: 65, count: output.freeCapacity - digits + 1)
                output.write(filling.span)
                output.writeDecimal(value)
            }
        }
    }

    @Test(arguments: [0, 1, 9, 10, 11, 99, 100, 12_345, -1, -10, Int.max, Int.min])
    func `integers are written in decimal`(value: Int) {
        #expect(written { $0.writeDecimal(value) } == String(value))
    }

    @Test(arguments: [UInt64.min, 1, 9_007_199_254_740_991, UInt64.max])
    func `integers without sign are written in decimal`(value: UInt64) {
        #expect(written { $0.writeDecimal(value) } == String(value))
    }

    @Test
    func `small integers are written in decimal`() {
        #expect(written { $0.writeDecimal(Int8.min) } == "-128")
        #expect(written { $0.writeDecimal(UInt8.max) } == "255")
    }

    @Test
    func `a time is a string of 26 bytes`() {
        #expect(written { $0.writeJSONTimestamp(milliseconds: 1_795_232_760_123) } == #""2026-11-21T03:46:00.123Z""#)
        #expect(written { $0.writeTimestamp(milliseconds: 0) } == "1970-01-01T00:00:00.000Z")
    }
}
