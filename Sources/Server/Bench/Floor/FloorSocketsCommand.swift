import ArgumentParser
import Foundation
import RawSockets

/// `quipu bench floor sockets`: answers handshakes, then writes a benchmark's frames, one write a batch and socket.
///
/// It goes on at each line of standard input: to writing, and to its end.
struct FloorSocketsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "sockets")

    @Option var rooms = 1
    @Option var sockets: Int
    @Option var senders = 1
    @Option var messages = 0
    @Option(help: "Messages of a room in a write.") var batch = 1
    @Option var bytes = BenchMark.leastContentBytes
    @Option(help: "Messages a second of all senders.") var rate: Int?

    func validate() throws {
        guard rooms > 0, sockets > 0, senders > 0, messages >= 0, batch > 0, bytes >= BenchMark.leastContentBytes,
            rate ?? 1 > 0
        else { throw ValidationError("a number is too small.") }
    }

    func run() async throws {
        try FileDescriptors.require(sockets + 64)
        let listener = try RawListener()
        StandardOutput.print("\(listener.port)")
        var members = [[RawConnection]](repeating: [], count: rooms)
        for _ in 0..<sockets {
            let connection = try listener.accept()
            members[try Self.greet(connection) % rooms].append(connection)
        }
        guard readLine() != nil else { return }
        var frames = (0..<rooms * senders).map { DeliveryFrame(sender: $0, bytes: bytes) }
        if let rate {
            try await write(&frames, to: members, rate: rate)
        } else {
            try write(&frames, to: members)
        }
        guard readLine() != nil else { return }
        let goodBye: [UInt8] = [0x88, 2, 0x03, 0xE8]
        for connection in members.joined() { try connection.write(goodBye.span) }
        _ = readLine()
    }

    /// Answers the handshake.
    ///
    /// - Returns: The number that the path is.
    static func greet(_ connection: RawConnection) throws -> Int {
        var request: [UInt8] = []
        while request.firstRange(of: [13, 10, 13, 10]) == nil {
            guard try connection.read(atMost: 4096, to: &request) else {
                throw CommandFailure("a client left before its handshake was over")
            }
        }
        // The key of all benchmarks is the one of RFC 6455, 1.3, and so is the answer.
        let answer =
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
        try connection.write(Array(answer.utf8).span)
        return Int(String(decoding: request.dropFirst(5).prefix { 48...57 ~= $0 }, as: UTF8.self)) ?? 0
    }

    /// As fast as it is read; a room's senders take turns.
    private func write(_ frames: inout [DeliveryFrame], to members: [[RawConnection]]) throws {
        let ofRoom = messages / rooms
        var bytes: [UInt8] = []
        for start in stride(from: 0, to: ofRoom, by: batch) {
            for (room, connections) in members.enumerated() {
                bytes.removeAll(keepingCapacity: true)
                for message in start..<min(ofRoom, start + batch) {
                    frames[room * senders + message % senders].append(message / senders, to: &bytes)
                }
                for connection in connections { try connection.write(bytes.span) }
            }
        }
    }

    /// Each message when it is due.
    private func write(_ frames: inout [DeliveryFrame], to members: [[RawConnection]], rate: Int) async throws {
        let start = ContinuousClock.now
        let all = rooms * senders
        var frame: [UInt8] = []
        for index in 0..<messages {
            try await Task.sleep(until: start + .seconds(Double(index) / Double(rate)), clock: .continuous)
            frame.removeAll(keepingCapacity: true)
            frames[index % all].append(index / all, to: &frame)
            for connection in members[index % all / senders] { try connection.write(frame.span) }
        }
    }
}
