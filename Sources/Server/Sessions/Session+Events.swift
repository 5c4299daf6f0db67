import Broker
import Logging
import NIOCore

// What a socket is sent of the log as it grows, batch by batch. What it missed is in Session+CatchUp.swift.

extension Session {
    /// Gets all of a room's messages of a segment, nothing else being due to this socket.
    func deliver(_ shared: ByteBuffer, upTo offset: Offset) { writeEvents(shared, upTo: offset) }

    /// Gets what several conversations and its own replies come to, in the order of offsets.
    func deliverMerged(_ frames: inout FrameCache, upTo end: Offset) {
        let groups = due.groups
        var due: [(index: Int, group: Int, position: Int)] = []
        due.reserveCapacity(groups.reduce(0) { $0 + frames.groups[$1].indices.count })
        for group in groups {
            for (position, index) in frames.groups[group].indices.enumerated() { due.append((index, group, position)) }
        }
        if groups.count > 1 { due.sort { $0.index < $1.index } }
        var bytes = ByteBuffer()
        // Acks are most of it, or nothing is; it grows for what else there is.
        bytes.reserveCapacity(Self.usualAckBytes * cursor.replies.readyCount)
        var newestOfPeer: Offset = 0
        for event in due {
            let offset = frames.offset(at: event.index)
            let header = frames.header(at: event.index)
            flushReplies(upTo: offset, into: &bytes)
            switch cursor.interest(in: header, at: offset) {
            case .none: break
            case .frame:
                var frame = frames.frame(group: event.group, position: event.position, shape: shape)
                bytes.writeBuffer(&frame)
                if isRead(byDeliveryOf: header) { newestOfPeer = offset }
            case .ownFrame:
                var frame = frames.frameForSender(at: event.index)
                bytes.writeBuffer(&frame)
            }
        }
        flushReplies(upTo: end, into: &bytes)
        writeEvents(bytes, upTo: end)
        if newestOfPeer > 0 { markDelivered(upTo: newestOfPeer) }
    }

    /// The batch is handed out: replies that no event of this socket's carried along go now.
    func finishBatch() {
        flush()
        pump()
    }

    /// Whether an event becomes read by being written to this socket.
    func isRead(byDeliveryOf header: EventHeader) -> Bool {
        guard case .conversation = kind else { return false }
        return header.type == .messageSent && header.actor != me
    }

    /// What was written to a conversation socket counts as read.
    func markDelivered(upTo offset: Offset) {
        guard case .conversation(let conversation) = kind, conversation.subject != me else { return }
        submitSilently(.markRead(conversation, upTo: offset))
    }
}
