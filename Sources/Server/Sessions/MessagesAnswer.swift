import Broker
import NIOCore
import Projections

/// The answer to type 2, the history of a conversation or room, newest first, and to type 3, what of it is unread,
/// oldest first.
///
/// Holds the messages that existed at `as_of`, however long it takes to write them.
struct MessagesAnswer: QueryAnswer {
    /// What was asked for.
    struct Request {
        var frame: ClientFrame
        var conversation: Command.Conversation
        /// Escaped for JSON; the room's id for a room.
        var myName: [UInt8]
        var peerName: [UInt8]
        var unreadOnly: Bool
        /// Where the reader joined the room, before which nothing counts as unread; 0 in a direct conversation.
        var joined: Offset = 0
    }

    private let request: Request
    private let view: ConversationsView
    /// The conversation when the answer began; nil before.
    private var snapshot: ConversationsView.Snapshot?
    /// Up to here the reader has read.
    private var readMark: Offset = 0

    /// The ordinals that are left, in the direction of the answer; nil when there are none.
    private var remaining: ClosedRange<UInt64>?
    /// Rows that may still be shown.
    private var quota: UInt64
    private var shown = 0
    private var newestShown: Offset = 0
    private var showsUnread = false
    private var hasMore = false
    private(set) var hasBegun = false
    private var writer: MessageRowWriter

    private static let sliceRows = 1024
    private static let sliceBytes = 256 << 10
    /// A row with a message of some length: a guess at the room that rows need.
    private static let rowBytes = 320

    init(_ request: Request, view: ConversationsView, directory: AccountDirectory) {
        self.request = request
        self.view = view
        quota = request.frame.limit.map(UInt64.init) ?? .max
        writer = MessageRowWriter(request, directory: directory)
    }

    var frame: ClientFrame { request.frame }

    var mark: Command? {
        guard showsUnread, request.frame.mark != false else { return nil }
        return .markRead(request.conversation, upTo: newestShown)
    }

    mutating func writeSlice(to bytes: inout ByteBuffer) throws -> Bool {
        let reading = try view.reading()
        let snapshot = try snapshot ?? begin(reading)
        let message = bytes.beginFrame(expectingPayloadBytes: .max)
        let start = bytes.writerIndex
        if !hasBegun {
            bytes.writeStaticString("{\"from\":\"")
            bytes.writeBytes(request.peerName)
            bytes.writeStaticString("\",\"code\":50000,\"content\":[")
        }
        try writeRows(reading, snapshot, to: &bytes, from: start)
        let isDone = remaining == nil
        if shown == 0 {
            // Whether there is anything to show isn't known before something is found, or nothing is left.
            bytes.clear()
            if isDone { bytes.writeTextFrame(nothing(asOf: snapshot.asOf)) }
            return isDone
        }
        if isDone { writeEnd(to: &bytes, asOf: snapshot.asOf) }
        bytes.finishFrame(message, hasBegun ? .continuation : .text, isFinal: isDone)
        hasBegun = true
        return isDone
    }

    /// Takes in how far the conversation has come, and what of it is to be shown.
    private mutating func begin(_ reading: borrowing ConversationsReading) throws -> ConversationsView.Snapshot {
        let conversation = request.conversation
        let state = try reading.state(
            of: conversation.stream,
            reader: conversation.me,
            peer: conversation.isRoom ? nil : conversation.subject
        )
        snapshot = state
        readMark = max(state.readerMark, request.joined)
        var first: UInt64 = 1
        var last = state.messageCount
        if request.unreadOnly {
            first = try reading.firstOrdinal(in: conversation.stream, after: readMark)
        } else if let before = request.frame.before {
            let end = try reading.firstOrdinal(in: conversation.stream, after: Offset(before) - 1)
            last = min(last, end - 1)
        }
        remaining = first <= last ? first...last : nil
        return state
    }

    /// - Parameter start: Where the payload of the frame begins.
    private mutating func writeRows(
        _ reading: borrowing ConversationsReading,
        _ snapshot: ConversationsView.Snapshot,
        to bytes: inout ByteBuffer,
        from start: Int
    ) throws {
        guard let ordinals = remaining else { return }
        let newestFirst = !request.unreadOnly
        let conversation = request.conversation
        let me = conversation.me
        // In a room, and to oneself, nobody else's reading counts.
        let peerMark = conversation.isRoom || conversation.subject == me ? .max : snapshot.peerMark
        let limit = min(Self.sliceRows, ordinals.count)
        var seen: UInt64 = 0
        var isDone = false
        // The room for the rows: mostly there is enough at once.
        var lacking: Int? = min(min(limit, Int(clamping: quota)) * Self.rowBytes, Self.sliceBytes)
        while let room = lacking {
            lacking = nil
            let before = bytes.writerIndex - start
            try bytes.writeWithOutputRawSpan(minimumWritableBytes: room) { output in
                // Ordinals are dense: the n-th row of the scan has the n-th ordinal.
                try reading.forEachMessage(
                    in: conversation.stream,
                    from: newestFirst ? ordinals.upperBound - seen : ordinals.lowerBound + seen,
                    newestFirst: newestFirst,
                    limit: limit - Int(seen)
                ) { row in
                    let isMine = row.sender == me
                    let isShown = !row.isDeleted && (newestFirst || !isMine)
                    if isShown, quota > 0 {
                        let room = writer.room(for: row, isMine: isMine)
                        guard room <= output.freeCapacity else {
                            lacking = room
                            return false
                        }
                    }
                    seen += 1
                    guard isShown else { return true }
                    guard quota > 0 else {
                        hasMore = true
                        isDone = true
                        return false
                    }
                    quota -= 1
                    shown += 1
                    let isRead = row.offset <= (isMine ? peerMark : readMark)
                    newestShown = max(newestShown, row.offset)
                    if !isMine, !isRead { showsUnread = true }
                    writer.write(row, isMine: isMine, isRead: isRead, to: &output)
                    return before + output.byteCount < Self.sliceBytes
                }
            }
        }
        if isDone || seen == 0 || seen == UInt64(ordinals.count) {
            remaining = nil
        } else if newestFirst {
            remaining = ordinals.lowerBound...ordinals.upperBound - seen
        } else {
            remaining = ordinals.lowerBound + seen...ordinals.upperBound
        }
    }

    private func writeEnd(to json: inout ByteBuffer, asOf: Offset) {
        json.writeStaticString("],\"as_of\":")
        json.writeDecimal(asOf)
        if request.frame.limit != nil { json.writeString(",\"more\":\(hasMore)") }
        Session.writeReply(to: request.frame.type, ref: request.frame.ref, &json)
        json.writeStaticString("}")
    }

    private func nothing(asOf: Offset) -> ByteBuffer {
        Outbound.serverReply(.end, "没有更多消息了") { json in
            json.writeStaticString(",\"as_of\":")
            json.writeDecimal(asOf)
            Session.writeReply(to: request.frame.type, ref: request.frame.ref, &json)
        }
    }
}
