import Broker
import Foundation
import NIOCore
import Testing

@testable import Server

/// Real sockets of which some stop reading.
///
/// ```
/// author            server                   950 that read        50 that don't
///   │ 4 messages ──▶  │ ── each batch ────────▶ │                    │
///   │ ◀── echoes ──── │ ── until the kernel and the channel are full ▶ │   from here on: one flag
///   │ …               │                         │ all 100            │
///   │                 │ ◀──────────────── reads on ─────────────── │
///   │                 │ ── slices of the log, as it reads ─────────▶ │ all 100
/// ```
@Suite(.serialized, .timeLimit(.minutes(3)))
struct SlowSocketTests {
    /// What a channel may be given at once: a slice of the log and the frame that made it full.
    private static let sliceBytes = 64 << 10
    /// What the kernel holds of each side.
    private static let kernelBytes = 16 << 10

    @Test func `of 1,000 sockets 50 stop reading: nothing is kept for them, nobody waits, nothing is lost`()
        async throws
    {
        let (readers, stuck, messages, bytes, burst) = (950, 50, 100, 8192, 4)
        try await withServer { server in
            let arrivals = Arrivals()
            let names = (0..<readers + stuck).map { "member-\($0)" }
            let room = try await Self.room(of: names, server)
            let reading = try await BenchSocket.open(
                names.prefix(readers).enumerated().map { index, name in
                    let client = RoomMember(messages: messages, arrivals: arrivals)
                    return BenchOpening(client: client, name: name, path: Self.path(of: name, index))
                },
                at: server.address
            )
            let waiting = try await BenchSocket.open(
                names.suffix(stuck).enumerated().map { index, name in
                    Self.stuck(RoomMember(messages: messages), name, path: Self.path(of: name, index))
                },
                at: server.address
            )
            for socket in waiting { try await socket.pause() }

            let author = try await Self.author(room, messages, burst, bytes, server)
            var greatest = 0
            for sent in stride(from: burst, through: messages, by: burst) {
                author.socket.wake()
                // Those who read get all of it now, though the others don't move.
                try await arrivals.reached(readers * sent)
                try await author.arrivals.reached(sent)
                greatest = max(greatest, try await server.counters().greatestBufferedBytes)
            }

            let counters = try await server.counters()
            #expect(counters.sockets == readers + stuck + 1)
            #expect(counters.lagging == stuck)
            #expect((counters.waitingReplies, counters.waitingRequests) == (0, 0))
            #expect(counters.greatestLag > messages / 2)
            let most = server.services.settings.limits.outboundBytes + Self.sliceBytes + bytes + 1024
            #expect(greatest <= most)
            #expect(counters.bufferedBytes <= stuck * most)

            for socket in waiting { socket.goOn() }
            for socket in waiting {
                #expect(try await server.counters().greatestBufferedBytes <= most)
                try await socket.done.get()
            }
            for socket in reading + waiting + [author.socket] {
                try await socket.done.get()
                socket.close()
                // It fails if something came twice until the good-bye, or the server had closed.
                _ = try await socket.ended.get()
            }
        }
    }

    @Test func `pings of one that doesn't read don't pile up: when it does, the last are answered`() async throws {
        let (messages, pings) = (100, 1000)
        try await withServer { server in
            let room = try await Self.room(of: ["stuck"], server)
            let stuck = try await BenchSocket.open(
                [Self.stuck(RoomMember(messages: messages), "stuck", path: "/ws/stuck")],
                at: server.address
            )[0]
            try await stuck.pause()
            let author = try await Self.author(room, messages, 4, 8192, server)
            for sent in stride(from: 4, through: messages, by: 4) {
                author.socket.wake()
                try await author.arrivals.reached(sent)
            }
            let before = try await server.counters()
            #expect(before.lagging == 1)

            var frames = ByteBuffer()
            let names = (0..<pings).map { String(repeating: "x", count: 100) + "\($0)" }
            for name in names { BenchFrame.append(.ping, Array(name.utf8), to: &frames) }
            stuck.send(frames)
            stuck.send(RoomMember.sign(in: room))
            try await author.arrivals.reached(messages + 1)
            let after = try await server.counters()
            #expect(after.bufferedBytes <= before.bufferedBytes)
            // The place of its own message among the events, which it will get in turn.
            #expect(after.waitingReplies == 1)

            stuck.goOn()
            try await stuck.done.get()
            stuck.close()
            let pongs = try await stuck.ended.get().pongs
            // Those that came with the last, at most; the last answers them all (RFC 6455, 5.5.3).
            #expect(pongs.count <= 50)
            #expect(pongs.last == names.last)
        }
    }

    @Test func `at limits.lag_events a socket is kept, past it closed with 4002 and its position`() async throws {
        let (limit, messages) = (60, 1000)
        try await withServer(configure: { $0.limits.lagEvents = limit }) { server in
            let room = try await Self.room(of: ["stuck"], server)
            let came = Arrivals()
            let stuck = try await BenchSocket.open(
                [Self.stuck(RoomMember(messages: messages, arrivals: came), "stuck", path: "/ws/stuck")],
                at: server.address
            )[0]
            try await stuck.pause()
            let author = try await Self.author(room, messages, 1, 8192, server)
            var sent = 0
            while try await server.counters().greatestLag < limit, sent < messages {
                author.socket.wake()
                sent += 1
                try await author.arrivals.reached(sent)
                try await Self.allLoopsHaveHandedOut(server)
            }
            let last = server.log.head
            server.services.loops.toAll { $0.tick(now: .now()) }
            #expect(try await server.counters().sockets == 2)

            author.socket.wake()
            try await author.arrivals.reached(sent + 1)
            try await Self.allLoopsHaveHandedOut(server)
            server.services.loops.toAll { $0.tick(now: .now()) }
            #expect(try await server.counters().sockets == 1)

            stuck.goOn()
            let failure = await #expect(throws: BenchFailure.self) { try await stuck.done.get() }
            let position = Int(last) - limit
            #expect(failure?.description.contains("with 4002: too far behind: resume after \(position)") == true)
            // What it was written up to there, it has got.
            #expect(came.messages == sent - limit)
            author.socket.cut()
        }
    }

    // MARK: Sockets

    /// The author's loop may be ahead of another.
    private static func allLoopsHaveHandedOut(_ server: EmbeddedServer) async throws {
        let deadline = ContinuousClock.now + .seconds(30)
        while try await server.counters().handedOut < server.log.head {
            try #require(ContinuousClock.now < deadline, "a loop doesn't hear of what is in the log")
            await Task.yield()
        }
    }

    /// Both kinds that get rooms.
    private static func path(of name: String, _ index: Int) -> String {
        index.isMultiple(of: 2) ? "/ws/\(name)" : "/ws?account=\(name)"
    }

    private static func stuck(_ client: RoomMember, _ name: String, path: String) -> BenchOpening<RoomMember> {
        BenchOpening(client: client, name: name, path: path, receiveBufferBytes: kernelBytes)
    }

    private static func room(of members: [String], _ server: EmbeddedServer) async throws -> String {
        try await BenchRoom.make(members: members, owner: "author", at: server.address).uuidText
    }

    private static func author(
        _ room: String,
        _ messages: Int,
        _ burst: Int,
        _ bytes: Int,
        _ server: EmbeddedServer
    ) async throws -> (socket: BenchSocket<RoomMember>, arrivals: Arrivals) {
        let arrivals = Arrivals()
        let sending = RoomMember.Sending(room: room, burst: burst, bytes: bytes)
        let client = RoomMember(messages: messages, arrivals: arrivals, sending: sending)
        let opening = BenchOpening(client: client, name: "author", path: "/ws/author")
        return (try await BenchSocket.open([opening], at: server.address)[0], arrivals)
    }

    private func withServer(
        configure: (inout Settings) -> Void = { _ in },
        _ body: (EmbeddedServer) async throws -> Void
    ) async throws {
        try FileDescriptors.require(4096)
        let folder = DataFolder(NSTemporaryDirectory() + "quipu-slow-" + UUID().uuidString)
        defer { try? FileManager.default.removeItem(atPath: folder.path) }
        let configured = { (settings: inout Settings) in
            settings.limits.sendBufferBytes = Self.kernelBytes
            settings.limits.outboundBytes = Self.kernelBytes
            configure(&settings)
        }
        try await EmbeddedServer.with(folder, configure: configured, body)
    }
}
