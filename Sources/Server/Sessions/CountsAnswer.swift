import Broker
import NIOCore
import Projections

/// The answer to type 4: how many messages of each peer and each room are unread.
///
/// It has no envelope.
struct CountsAnswer: QueryAnswer {
    let frame: ClientFrame
    let me: AccountID
    let view: UnreadView
    let directory: AccountDirectory

    var mark: Command? { nil }
    var hasBegun: Bool { false }

    mutating func writeSlice(to bytes: inout ByteBuffer) throws -> Bool {
        let counts = try view.counts(of: me)
        bytes.reserveCapacity(512 + 64 * (counts.direct.count + counts.rooms.count))
        let message = bytes.beginFrame(expectingPayloadBytes: .max)
        bytes.writeStaticString("{\"total_counts\":")
        bytes.writeDecimal(counts.direct.reduce(0) { $0 + $1.count })
        bytes.writeStaticString(",\"unread_counts\":[")
        writePeers(counts.direct, to: &bytes)
        bytes.writeStaticString("],\"room_counts\":[")
        for (index, room) in counts.rooms.enumerated() {
            bytes.writeString(
                (index == 0 ? "" : ",") + "{\"room\":\"\(room.id.uuidText)\",\"unread_count\":\(room.count)}"
            )
        }
        bytes.writeStaticString("],\"as_of\":")
        bytes.writeDecimal(counts.asOf)
        Session.writeReply(to: frame.type, ref: frame.ref, &bytes)
        bytes.writeStaticString("}")
        bytes.finishFrame(message)
        return true
    }

    /// Appends the peers, sorted by the bytes of their names.
    private func writePeers(_ counts: [UnreadView.Counts.Item], to bytes: inout ByteBuffer) {
        let names = directory.escapedNames(of: counts.lazy.map(\.id))
        let peers = names.indices.map { Peer(name: names[$0], count: counts[$0].count) }.sorted()
        var isFirst = true
        for peer in peers {
            // All but the name are 58 bytes at most.
            bytes.writeWithOutputRawSpan(minimumWritableBytes: 64 + peer.name.count) { output in
                if !isFirst { output.write(",") }
                output.write("{\"send_id\":\"")
                output.write(peer.name.span)
                output.write("\",\"unread_count\":")
                output.writeDecimal(peer.count)
                output.write("}")
            }
            isFirst = false
        }
    }

    /// A peer, ordered by the bytes of its name.
    private struct Peer: Comparable {
        let name: [UInt8]
        let count: UInt64
        /// The first eight bytes, which decide on most names.
        private let prefix: UInt64

        init(name: [UInt8], count: UInt64) {
            self.name = name
            self.count = count
            var prefix: UInt64 = 0
            for index in 0..<min(8, name.count) { prefix |= UInt64(name[index]) << UInt64(56 - 8 * index) }
            self.prefix = prefix
        }

        static func < (left: Peer, right: Peer) -> Bool {
            // A name has no zero bytes, so that a shorter one comes first here too.
            left.prefix != right.prefix
                ? left.prefix < right.prefix : left.name.lexicographicallyPrecedes(right.name)
        }
    }
}
