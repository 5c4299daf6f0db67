import Broker
import NIOCore
import Projections

/// The answer to type 4: how many messages of each peer and each room are unread.
///
/// It has no envelope.
struct CountsAnswer: QueryAnswer {
    let frame: ClientFrame
    let counts: UnreadView.Counts
    let directory: AccountDirectory

    var mark: Command? { nil }

    mutating func writeSlice(to bytes: inout ByteBuffer) throws -> Bool {
        let peers = counts.direct
            .map { (name: directory.escapedName(of: $0.id), count: $0.count) }
            .sorted { $0.name.lexicographicallyPrecedes($1.name) }
        var json = ByteBuffer()
        json.writeStaticString("{\"total_counts\":")
        json.writeDecimal(peers.reduce(0) { $0 + $1.count })
        json.writeStaticString(",\"unread_counts\":[")
        for (index, peer) in peers.enumerated() {
            json.writeString(index == 0 ? "{\"send_id\":\"" : ",{\"send_id\":\"")
            json.writeBytes(peer.name)
            json.writeStaticString("\",\"unread_count\":")
            json.writeDecimal(peer.count)
            json.writeStaticString("}")
        }
        json.writeStaticString("],\"room_counts\":[")
        for (index, room) in counts.rooms.enumerated() {
            json.writeString(
                (index == 0 ? "" : ",") + "{\"room\":\"\(room.id.uuidText)\",\"unread_count\":\(room.count)}"
            )
        }
        json.writeStaticString("],\"as_of\":")
        json.writeDecimal(counts.asOf)
        Session.writeReply(to: frame.type, ref: frame.ref, &json)
        json.writeStaticString("}")
        bytes.writeTextFrame(json)
        return true
    }
}
