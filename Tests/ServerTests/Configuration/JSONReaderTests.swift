import Foundation
import Testing

@testable import Server

/// The reader of `config.json` against RFC 8259: what is JSON, what isn't, and where it says so.
@Suite struct JSONReaderTests {
    @Test(arguments: [
        ("null", JSONNode.null), (" true ", .flag(true)), ("\t\r\nfalse", .flag(false)), ("0", .integer(0)),
        ("-0", .integer(0)), ("-12", .integer(-12)), ("9223372036854775807", .integer(.max)),
        ("9223372036854775808", .number(9_223_372_036_854_775_808)), ("1.5", .number(1.5)), ("1e3", .number(1_000)),
        ("-1.25E-2", .number(-0.0125)), ("1e999", .number(.infinity)), (#""""#, .text("")),
        (#""a\"\\\/\b\f\n\r\t""#, .text("a\"\\/\u{8}\u{C}\n\r\t")), (#""\u00e9\u4F60\uD83D\uDE00""#, .text("é你😀")),
        ("\"é你😀\"", .text("é你😀")), ("[]", .list([])), ("[ 1 , [ ] ]", .list([.integer(1), .list([])])),
        ("{}", .object([:])), (#"{ "a" : { } , "" : null }"#, .object(["a": .object([:]), "": .null])),
        ("\u{FEFF}{}", .object([:])), (#""\u0000""#, .text("\0")),
    ])
    func `what is JSON is read`(text: String, node: JSONNode) throws {
        #expect(try JSONReader.read(Array(text.utf8)) == node)
    }

    @Test(arguments: [
        ("", 1, 1), ("  ", 1, 3), ("{", 1, 2), ("[", 1, 2), ("[1,]", 1, 4), ("{\"a\":1,}", 1, 8), ("{a:1}", 1, 2),
        ("{'a':1}", 1, 2), ("{\"a\" 1}", 1, 6), ("{\"a\":}", 1, 6), ("{\"a\":1 \"b\":2}", 1, 8), ("[1 2]", 1, 4),
        ("01", 1, 2), ("+1", 1, 1), ("-", 1, 2), ("1.", 1, 3), (".5", 1, 1), ("1e", 1, 3), ("1e+", 1, 4), ("0x1", 1, 2),
        ("NaN", 1, 1), ("True", 1, 1), ("nul", 1, 1), ("truer", 1, 5), ("{} {}", 1, 4), ("// x\n{}", 1, 1),
        ("{\n  \"a\": 1,\n  \"b\": 2x\n}", 3, 9), ("{\"a\":1,\n\"a\":2}", 2, 1), ("\"abc", 1, 1),
        ("[\n\"a\nb\"]", 2, 1),
        ("\"\t\"", 1, 2), ("\"\\x\"", 1, 3), ("\"\\u12\"", 1, 4), ("\"\\ud800\"", 1, 8), ("\"\\udc00\"", 1, 8),
        ("\"\\ud800\\u0041\"", 1, 14), ("{\"a\":[1,{\"b\":", 1, 14),
    ])
    func `what isn't is refused, with the place`(text: String, line: Int, column: Int) {
        let failure = #expect(throws: JSONReader.Failure.self) { try JSONReader.read(Array(text.utf8)) }
        #expect(failure?.line == line)
        #expect(failure?.column == column)
    }

    @Test func `a text must be UTF-8`() {
        #expect(throws: JSONReader.Failure(message: "a text that is not UTF-8", line: 1, column: 1)) {
            try JSONReader.read([0x22, 0xC3, 0x28, 0x22])
        }
    }

    @Test func `64 levels are read, one more is refused`() {
        for (levels, isRead) in [(63, true), (64, false), (1_000_000, false)] {
            let text = String(repeating: "[", count: levels) + "1" + String(repeating: "]", count: levels)
            let node = try? JSONReader.read(Array(text.utf8))
            #expect((node != nil) == isRead, "\(levels) lists and a number in them")
        }
    }

    @Test func `no prefix of a document is a document, and none brings the reader down`() throws {
        let document = #"{"a":[1.5e2,true,null,"\u00e9\n"],"b":{"c":"😀"}}"#
        let bytes = Array(document.utf8)
        #expect(try JSONReader.read(bytes) != .null)
        for end in 0..<bytes.count {
            #expect(throws: JSONReader.Failure.self) { try JSONReader.read(Array(bytes[..<end])) }
        }
    }

    @Test func `one byte changed anywhere reads as Foundation reads it, but for what Foundation lets pass`() {
        let bytes = Array(#"{"a":[1.5e2,true],"b":{"c":"d\n"}}"#.utf8)
        var both = 0
        for index in bytes.indices {
            for byte in UInt8(0x20)..<0x7F {
                var changed = bytes
                changed[index] = byte
                let text = String(decoding: changed, as: UTF8.self)
                let isOurs = (try? JSONReader.read(changed)) != nil
                let isFoundations = (try? JSONSerialization.jsonObject(with: Data(changed))) != nil
                let isTwice = text.hasPrefix(#"{"b":["#) || text.contains(#","a":{"c""#)
                let isLenient = text.contains(",]") || text.contains(",}") || isTwice
                if isOurs != (isFoundations && !isLenient) { Issue.record("\(text): ours \(isOurs)") }
                if isOurs, isFoundations { both += 1 }
            }
        }
        #expect(both > 500)
    }
}
