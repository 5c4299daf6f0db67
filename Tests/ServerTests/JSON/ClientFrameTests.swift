import Testing

@testable import Server

/// What a client's frame may say, by example.
@Suite struct ClientFrameTests {
    private func parse(_ text: String, limits: ClientFrame.Limits = .init()) throws(BadRequest) -> ClientFrame {
        let bytes = Array(text.utf8)
        return try ClientFrame.parse(bytes.span, limits: limits)
    }

    private static func frame(_ change: (inout ClientFrame) -> Void) -> ClientFrame {
        var frame = ClientFrame()
        change(&frame)
        return frame
    }

    @Test(arguments: [
        (#"{"type":1,"content":"hi"}"#, frame { ($0.type, $0.content) = (1, .text(Array("hi".utf8))) }),
        (
            #"{"type":1,"to":"alice","content":"hi","id":"m-1","ref":"r"}"#,
            frame {
                ($0.type, $0.content, $0.to) = (1, .text(Array("hi".utf8)), Array("alice".utf8))
                ($0.id, $0.ref) = (Array("m-1".utf8), Array(#""r""#.utf8))
            }
        ),
        (
            #"{"type":2,"room":"42","before":7,"limit":10,"mark":false}"#,
            frame { ($0.type, $0.room, $0.before, $0.limit, $0.mark) = (2, Array("42".utf8), 7, 10, false) }
        ),
        (#"{"type":3,"limit":1}"#, frame { ($0.type, $0.limit) = (3, 1) }),
        (#"{"type":4}"#, frame { $0.type = 4 }),
        (#"{"type":5,"upto":9007199254740991}"#, frame { ($0.type, $0.upto) = (5, 9_007_199_254_740_991) }),
        (
            #"{"type":6,"after":0,"log":"abc.1"}"#,
            frame { ($0.type, $0.after, $0.log) = (6, 0, Array("abc.1".utf8)) }
        ),
        (#"{"type":7,"content":true}"#, frame { ($0.type, $0.content) = (7, .bool(true)) }),
        (#"{"type":8,"watch":true}"#, frame { ($0.type, $0.watch) = (8, true) }),
        (
            #"{"type":9,"target":3,"content":"x"}"#,
            frame { ($0.type, $0.target, $0.content) = (9, 3, .text([0x78])) }
        ),
        (#"{"type":10,"target":3}"#, frame { ($0.type, $0.target) = (10, 3) }),
        (
            #"{"Msg":"hi","RoomId":"r1"}"#,
            frame { ($0.msg, $0.roomId) = (.text(Array("hi".utf8)), Array("r1".utf8)) }
        ),
    ])
    func `every request of the protocol is read`(text: String, frame: ClientFrame) throws {
        #expect(try parse(text) == frame)
        let spaced = text.replacing(",", with: " ,\n\t").replacing(":", with: " :\r ")
        #expect(try parse(" \(spaced)\n") == frame)
    }

    @Test(arguments: ClientFrameScanner.Field.allCases)
    func `a field's raw value is its name`(field: ClientFrameScanner.Field) {
        let name = Array("\(field)".utf8)
        #expect(ClientFrameScanner.Field(key: name.span) == field)
        let shouted = Array("\(field)".uppercased().utf8)
        #expect(ClientFrameScanner.Field(key: shouted.span) == field)
    }

    @Test(arguments: [
        // Keys match in any case, and however they are escaped.
        #"{"TYPE":1,"Content":"a"}"#, #"{"tYpE":1,"cOnTeNt":"a"}"#, #"{"\u0074ype":1,"content":"a"}"#,
        // The last of several equal keys counts, and a null changes nothing.
        #"{"type":2,"content":"b","Type":1,"content":"a"}"#, #"{"type":1,"content":"a","type":null,"content":null}"#,
        // Unknown fields may hold anything.
        #"{"x":{"type":2,"y":[1,{"content":"b"}]},"type":1,"content":"a","z":-1.5e+3,"w":[[]],"v":{},"u":""}"#,
        #"{"":null,"types":2,"typ":2,"contentt":"b","type":1,"content":"a"}"#,
        #"{"type":1,"content":"\u0061"}"#, #"{"type":1,"content":"a","t\u0000pe":2,"ty\npe":2}"#,
    ])
    func `Go's leniency is ours`(text: String) throws {
        #expect(try parse(text) == Self.frame { ($0.type, $0.content) = (1, .text([0x61])) })
    }

    @Test(arguments: [
        (#""""#, ""),
        (#""grüß 你好 🦙""#, "grüß 你好 🦙"),
        (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"),
        (#""a\u0000b""#, "a\0b"),
        (#""\u4f60\u597D""#, "你好"),
        (#""\ud83e\udd99!""#, "🦙!"),
        (#""\uD83E\uDD99""#, "🦙"),
        // Half a pair is U+FFFD, and what follows it stands for itself.
        (#""\ud800""#, "\u{fffd}"),
        (#""\udc00x""#, "\u{fffd}x"),
        (#""\ud800\u0041""#, "\u{fffd}A"),
        (#""\ud800\ud83e\udd99""#, "\u{fffd}🦙"),
        (#""\ud800\n""#, "\u{fffd}\n"),
        (#""\udc00\ud800""#, "\u{fffd}\u{fffd}"),
        (#""\u2028<>&\u007f""#, "\u{2028}<>&\u{7f}"),
        (
            "\"a long line that has an escape at its very end, after many words\\n\"",
            "a long line that has an escape at its very end, after many words\n"
        ),
    ])
    func `a string is decoded as Go does it`(json: String, text: String) throws {
        #expect(try parse(#"{"content":\#(json)}"#).content == .text(Array(text.utf8)))
    }

    @Test(arguments: [
        (#"{}"#, ClientFrame.Content.missing), (#"{"content":null}"#, .null), (#"{"content":""}"#, .text([])),
        (#"{"content":false}"#, .bool(false)), (#"{"content":0}"#, .other), (#"{"content":["a"]}"#, .other),
        (#"{"content":{"a":"b"}}"#, .other),
    ])
    func `the kind of a content is told`(text: String, content: ClientFrame.Content) throws {
        #expect(try parse(text).content == content)
    }

    @Test(arguments: [
        #""r""#, #""""#, #""a\"\u0041\ud800""#, "0", "-1", "1.50", "1E+3", "123456789012345678901234567890",
        "\"" + String(repeating: "r", count: 64) + "\"", "\"" + String(repeating: "\\u0072", count: 64) + "\"",
        String(repeating: "7", count: 64),
    ])
    func `a reference is kept as it was written`(ref: String) throws {
        #expect(try parse(#"{"ref": \#(ref) }"#).ref == Array(ref.utf8))
    }

    @Test
    func `an empty object is a frame that says nothing`() throws {
        #expect(try parse("{}") == ClientFrame())
        #expect(try parse(" { } ") == ClientFrame())
    }
}
