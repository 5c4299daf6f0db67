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
        let names = directory.escapedNames(of: counts)
        // All but the name are 58 bytes at most.
        let room = names.reduce(64 * names.count) { $0 + $1.count }
        bytes.writeWithOutputRawSpan(minimumWritableBytes: room) { output in
            for index in Self.order(of: names) {
                if output.isEmpty { output.write("{\"send_id\":\"") } else { output.write(",{\"send_id\":\"") }
                let name = names[index]
                output.write(name.span)
                output.write("\",\"unread_count\":")
                output.writeDecimal(counts[index].count)
                output.write("}")
            }
        }
    }

    /// The indices of `names` in the order of their bytes.
    static func order(of names: [[UInt8]]) -> [Int] {
        names.indices.map { Place($0, names[$0]) }
            .sorted { left, right in
                left.prefix != right.prefix
                    ? left.prefix < right.prefix : names[left.index].lexicographicallyPrecedes(names[right.index])
            }
            .map(\.index)
    }

    /// Where a name is, and what decides mostly on its place among the sorted ones.
    private struct Place {
        let index: Int
        /// The first eight bytes of the name; zero past its end, because no name has a zero byte.
        let prefix: UInt64

        init(_ index: Int, _ name: [UInt8]) {
            self.index = index
            var prefix: UInt64 = 0
            for place in 0..<min(8, name.count) { prefix |= UInt64(name[place]) << UInt64(56 - 8 * place) }
            self.prefix = prefix
        }
    }
}
