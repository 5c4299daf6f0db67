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
        let names = directory.escapedNames(of: counts.lazy.map { $0.id })
        // All but the name are 58 bytes at most.
        bytes.writeWithOutputRawSpan(minimumWritableBytes: 64 * names.count + names.byteCount) { output in
            var isFirst = true
            for index in names.order {
                if isFirst { output.write("{\"send_id\":\"") } else { output.write(",{\"send_id\":\"") }
                isFirst = false
                output.write(names[index])
                output.write("\",\"unread_count\":")
                output.writeDecimal(counts[index].count)
                output.write("}")
            }
        }
    }
}
