import NIOCore
import NIOEmbedded
import Testing

@testable import Server

/// What stands around the connections of a front.
@Suite struct FrontListenerTests {
    @Test func `a page says when it was made, and by whom`() async throws {
        try await FrontServer.run { server in
            let client = try await RawClient.connect(port: server.port)
            try await client.send("GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n")
            let answer = try await client.received(endingWith: "pong")
            #expect(answer.contains(/\r\n[Dd]ate: [A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT\r\n/))
            #expect(answer.contains(/\r\n[Ss]erver: quipu\r\n/))
        }
    }

    @Test func `nobody is let in after the end, and who was there is told of it`() throws {
        let connections = HTTPConnections()
        let here = EmbeddedChannel()
        let gone = EmbeddedChannel()
        for channel in [here, gone] {
            try channel.pipeline.syncOperations.addHandler(Quiescing())
            #expect(connections.enter(channel))
        }
        connections.leave(gone)
        connections.quiesce()
        #expect(!connections.enter(EmbeddedChannel()))
        for channel in [here, gone] { channel.embeddedEventLoop.run() }
        #expect(try here.readInbound(as: String.self) == "quiesce")
        #expect(try gone.readInbound(as: String.self) == nil)
    }

    /// Passes on that it was told to come to an end.
    private final class Quiescing: ChannelInboundHandler {
        typealias InboundIn = String
        typealias InboundOut = String

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if event is ChannelShouldQuiesceEvent { context.fireChannelRead(Self.wrapInboundOut("quiesce")) }
        }
    }
}
