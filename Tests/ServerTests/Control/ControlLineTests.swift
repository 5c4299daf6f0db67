import NIOCore
import NIOEmbedded
import Testing

@testable import Server

struct ControlLineTests {
    @Test func `lines are found however they are cut`() throws {
        let bytes = Array("{\"a\":1}\n\nlast, without an end".utf8)
        for first in 0...bytes.count {
            for second in first...bytes.count {
                let channel = EmbeddedChannel(handler: ByteToMessageHandler(ControlLineDecoder()))
                for part in [bytes[..<first], bytes[first..<second], bytes[second...]] {
                    try channel.writeInbound(ByteBuffer(bytes: part))
                }
                #expect(try channel.readInbound(as: ByteBuffer.self) == ByteBuffer(string: "{\"a\":1}"))
                #expect(try channel.readInbound(as: ByteBuffer.self) == ByteBuffer())
                _ = try channel.finish()
                #expect(try channel.readInbound(as: ByteBuffer.self) == nil)
            }
        }
    }

    @Test(arguments: [0, 1])
    func `a line may have so many bytes and none more`(excess: Int) throws {
        let channel = EmbeddedChannel(handler: ByteToMessageHandler(ControlLineDecoder()))
        defer { _ = try? channel.finish() }
        let part = ByteBuffer(repeating: 0x61, count: ControlLineDecoder.maximumByteCount + excess)
        if excess == 0 {
            try channel.writeInbound(part)
            try channel.writeInbound(ByteBuffer(string: "\n"))
            #expect(try channel.readInbound(as: ByteBuffer.self)?.readableBytes == ControlLineDecoder.maximumByteCount)
        } else {
            #expect(throws: CommandFailure.self) { try channel.writeInbound(part) }
        }
    }

    @Test(arguments: [
        (ControlRequest.ping, #"{"request":"ping"}"#),
        (.status, #"{"request":"status"}"#),
        (.replay(views: []), #"{"request":"replay","views":[]}"#),
        (.replay(views: ["users", "rooms"]), #"{"request":"replay","views":["users","rooms"]}"#),
        (
            .userAdd(.init(account: "é/", username: "u", email: "", passwordHash: "$2b$", adopt: true)),
            #"{"account":"é/","adopt":true,"email":"","password_hash":"$2b$","request":"user-add","username":"u"}"#
        ),
    ])
    func `a request is one line of JSON`(request: ControlRequest, text: String) throws {
        var encoded = try ControlLine.encode(request)
        #expect(encoded == ByteBuffer(string: text + "\n"))
        let line = encoded.readSlice(length: encoded.readableBytes - 1) ?? ByteBuffer()
        #expect(try ControlLine.decode(line, as: ControlRequest.self) == request)
    }

    @Test(arguments: [
        "", "{}", "[]", #"{"request":"stop"}"#, #"{"request":"user-add","account":"a"}"#, #"{"request":1}"#,
    ])
    func `what is no request is refused`(line: String) {
        #expect(throws: DecodingError.self) {
            try ControlLine.decode(ByteBuffer(string: line), as: ControlRequest.self)
        }
    }
}
