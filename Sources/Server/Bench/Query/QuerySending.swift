import Broker
import Foundation
import NIOCore

/// Brings a ``BenchLog`` about on a server whose folder nobody sees: by sending its messages.
struct QuerySending: Sendable {
    /// Who asks, and the first peer.
    let reader: String
    let peer: String

    private static let inFlight = 64

    /// Sends to a reader with a new name what the peers of `sample` write to it; the others' messages are left out.
    init(_ sample: BenchLog, to address: BenchAddress, bar: ProgressBar) async throws {
        let tag = String(UInt32.random(in: 0x1000_0000 ... .max), radix: 16)
        let reader = "bench-\(tag)-reader"
        self.reader = reader
        peer = "bench-\(tag)-peer-0"
        let progress = MessageProgress()
        let openings = (0..<sample.peers).map { peer in
            let client = MessageSender(
                SendFrame(sender: peer, room: nil, bytes: sample.bytes),
                messages: sample.count(ofPeer: peer),
                inFlight: Self.inFlight,
                progress: progress
            )
            let name = "bench-\(tag)-peer-\(peer)"
            return BenchOpening(client: client, name: name, path: "/ws?send_id=\(name)&receive_id=\(reader)")
        }
        .filter { $0.client.messages > 0 }
        let sockets = try await BenchSocket.open(openings, at: address)
        let total = sample.messages / 2
        let watch = BenchWatch(
            bar: bar,
            unit: "messages to be asked for",
            progress: { (progress.ackCount, total) },
            movement: { progress.sum },
            cut: { for socket in sockets { socket.cut() } }
        )
        try await watch.run {
            for socket in sockets { socket.wake() }
            for socket in sockets { try await socket.done.get() }
        }
        for socket in sockets { socket.close() }
        for socket in sockets { _ = try await socket.ended.get() }
    }
}
