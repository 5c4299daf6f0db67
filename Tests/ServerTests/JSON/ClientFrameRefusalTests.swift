import Testing

@testable import Server

/// What is no request, and what the client is told.
@Suite struct ClientFrameRefusalTests {
    private func refusal(_ bytes: [UInt8], limits: ClientFrame.Limits = .init()) -> String? {
        do {
            _ = try ClientFrame.parse(bytes.span, limits: limits)
            return nil
        } catch {
            return error.message
        }
    }

    private func refusal(_ text: String) -> String? { refusal(Array(text.utf8)) }

    @Test(arguments: [
        "", " ", "{", "}", "{]", "[}", #"{"type":1"#, #"{"type":1,}"#, #"{,"type":1}"#, #"{"type" 1}"#, #"{"type":}"#,
        #"{"type"}"#, #"{type:1}"#, #"{'type':1}"#, #"{"type":1}}"#, #"{"type":1}x"#, #"{"type":1} {}"#,
        "{\"type\":1}\0",
        #"{"type":1 "limit":2}"#, #"{"x":1,,"y":2}"#, "\u{feff}{}", "// {}", "{}//",
        // Numbers
        #"{"type":01}"#, #"{"type":+1}"#, #"{"x":-}"#, #"{"x":.5}"#, #"{"x":1.}"#, #"{"x":1e}"#, #"{"x":1e+}"#,
        #"{"x":00}"#, #"{"x":-01}"#, #"{"x":0x1}"#, #"{"x":NaN}"#, #"{"x":Infinity}"#, #"{"x":1 2}"#,
        // Strings
        #"{"content":"}"#, #"{"content":"a}"#, #"{"content":"\"}"#, #"{"content":"\x41"}"#, #"{"content":"\u12"}"#,
        #"{"content":"\u12g4"}"#, #"{"content":"\u"#, #"{"content":"\"#, #"{"content":"\'"}"#, "{\"content\":\"a\nb\"}",
        "{\"content\":\"\0\"}", "{\"content\":\"a\tb\"}", "{\"a\u{1f}\":1}", #"{"x":'a'}"#,
        // Literals and nesting
        #"{"watch":tru}"#, #"{"watch":truex}"#, #"{"x":True}"#, #"{"x":nul}"#, #"{"type":nulll}"#, #"{"x":[1,]}"#,
        #"{"x":[,1]}"#, #"{"x":[1 2]}"#, #"{"x":{"a"}}"#, #"{"x":{"a":1,}}"#, #"{"x":{1:2}}"#, #"{"x":[}"#,
        #"{"x":{]}"#,
        #"{"x":[}]}"#, #"{"x":[1}}"#, #"{"x":{"a":1]}"#, #"{"x":[[[]]}"#, "{\"x\":\u{b}1}",
    ])
    func `what is not JSON is refused`(text: String) throws {
        let message = try #require(refusal(text))
        #expect(message.hasPrefix("not JSON: ") || message == "a request must be a JSON object")
    }

    @Test(arguments: ["[]", "null", "1", #""{}""#, "true", "x"])
    func `what is no object is refused`(text: String) {
        #expect(refusal(text) == "a request must be a JSON object")
    }

    @Test(arguments: ["type", "before", "after", "limit", "upto", "target"])
    func `an integer is an integer, in range, and written as one`(field: String) throws {
        for value in [
            "-1", "-0", "1.0", "1e3", "1E0", "0.5", "9007199254740992", "99999999999999999999999999", "\"1\"", "true",
            "[1]",
            "{}",
        ] {
            let message = try #require(refusal(#"{"\#(field)":\#(value)}"#))
            #expect(message.hasPrefix("field '\(field)' must be an integer from "))
        }
    }

    @Test(arguments: [
        ("type", 0, 9_007_199_254_740_991), ("before", 1, 9_007_199_254_740_991), ("after", 0, 9_007_199_254_740_991),
        ("upto", 1, 9_007_199_254_740_991), ("target", 1, 9_007_199_254_740_991), ("limit", 1, 10_000),
    ])
    func `an integer may be at either end of its range, and not past it`(field: String, least: Int, most: Int) {
        #expect(refusal(#"{"\#(field)":\#(least)}"#) == nil)
        #expect(refusal(#"{"\#(field)":\#(most)}"#) == nil)
        #expect(refusal(#"{"\#(field)":\#(least - 1)}"#) != nil)
        #expect(refusal(#"{"\#(field)":\#(most + 1)}"#) != nil)
    }

    @Test(arguments: ["to", "room", "id", "log", "RoomId"])
    func `a name is a string`(field: String) {
        for value in ["1", "true", "[]", #"{"a":"b"}"#] {
            #expect(refusal(#"{"\#(field)":\#(value)}"#)?.hasPrefix("field '\(field)' must be a string of ") == true)
        }
    }

    @Test(arguments: [("id", 64), ("ref", 64), ("to", 1024), ("room", 1024), ("log", 1024), ("RoomId", 1024)])
    func `a string may be as long as its limit, however it is escaped, and no longer`(field: String, limit: Int) {
        for letter in ["a", #"\u0061"#, #"\n"#] {
            let longest = String(repeating: letter, count: limit)
            #expect(refusal(#"{"\#(field)":"\#(longest)"}"#) == nil)
            #expect(refusal(#"{"\#(field)":"\#(longest)a"}"#)?.hasPrefix("field '\(field)' must be ") == true)
        }
        let wide = String(repeating: "é", count: limit / 2)
        #expect(refusal(#"{"\#(field)":"\#(wide)"}"#) == nil)
        #expect(refusal(#"{"\#(field)":"\#(wide)a"}"#) != nil)
    }

    @Test
    func `an empty id is refused, as it would make all messages one`() {
        #expect(refusal(#"{"id":""}"#) == "field 'id' must be a string of 1 to 64 bytes")
    }

    @Test(arguments: [
        "true", "null ", "[1]", #"{"a":1}"#, String(repeating: "7", count: 65), "-" + String(repeating: "7", count: 64),
    ])
    func `a reference is a short string or number`(value: String) {
        let message = refusal(#"{"ref":\#(value)}"#)
        #expect(message == (value == "null " ? nil : "field 'ref' must be a string or a number of 64 bytes at most"))
    }

    @Test(arguments: ["watch", "mark"])
    func `a switch is true or false`(field: String) {
        for value in ["0", "1", #""true""#, "[]"] {
            #expect(refusal(#"{"\#(field)":\#(value)}"#) == "field '\(field)' must be true or false")
        }
    }

    @Test
    func `limits are those that were given`() {
        let limits = ClientFrame.Limits(idBytes: 3, refBytes: 2, nameBytes: 4, rows: 5)
        for (good, bad) in [
            (#"{"id":"abc"}"#, #"{"id":"abcd"}"#), (#"{"ref":12}"#, #"{"ref":123}"#),
            (#"{"to":"abcd"}"#, #"{"to":"abcde"}"#),
            (#"{"limit":5}"#, #"{"limit":6}"#),
        ] {
            #expect(refusal(Array(good.utf8), limits: limits) == nil)
            #expect(refusal(Array(bad.utf8), limits: limits) != nil)
        }
    }

    @Test
    func `JSON may be nested 64 levels deep and no deeper, under any field`() {
        for field in ["x", "content", "type", "ref", "watch"] {
            for (open, close) in [("[", "]"), (#"{"a":"#, "}")] {
                let inner = open == "[" ? "" : "1"
                func text(_ depth: Int) -> String {
                    #"{"\#(field)":"# + String(repeating: open, count: depth - 1) + inner
                        + String(repeating: close, count: depth - 1) + "}"
                }
                #expect(refusal(text(64)) != "JSON may be nested 64 levels deep at most")
                #expect(refusal(text(65)) == "JSON may be nested 64 levels deep at most")
            }
        }
        #expect(refusal(#"{"x":\#(String(repeating: "[", count: 63) + String(repeating: "]", count: 63))}"#) == nil)
    }

    @Test(arguments: ["[", #"{"a":"#, "[{\"a\":", "\"", "9", "\\u0061"])
    func `giant frames are refused or read, and nothing breaks`(part: String) {
        let giant = String(repeating: part, count: 400_000 / part.utf8.count)
        for text in [giant, #"{"x":"# + giant, #"{"x":""# + giant + #""}"#, #"{""# + giant + #"":1}"#] {
            _ = refusal(text)
        }
        #expect(refusal(#"{"x":"# + giant) != nil)
    }

    @Test
    func `a refusal never repeats what the client sent`() {
        for text in [
            #"{"to":"secret"x"#, #"{"id":["secret"]}"#, #"{"secret":tru}"#, #"{"ref":{"secret":"secret"}}"#, "secret",
            #"{"content":"secret\q"}"#, #"{"type":"secret"}"#,
        ] {
            let message = refusal(text)
            #expect(message != nil)
            #expect(message?.contains("secret") == false)
        }
    }

    @Test
    func `every prefix of a frame is refused`() {
        let frame = Array(#"{"type":1,"content":"a\u0041é🦙","ref":-1.5e3,"x":[true,{"a":null}],"mark":false}"#.utf8)
        #expect(refusal(frame) == nil)
        for count in 0..<frame.count where refusal(Array(frame[..<count])) == nil {
            Issue.record("the first \(count) bytes were taken for a frame")
        }
    }
}
