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
    private let directory: AccountDirectory
    private let snapshot: ConversationsView.Snapshot
    /// Up to here the reader has read.
    private let readMark: Offset

    /// The ordinals that are left, in the direction of the answer; nil when there are none.
    private var remaining: ClosedRange<UInt64>?
    /// Rows that may still be shown.
    private var quota: UInt64
    private var shown = 0
    private var newestShown: Offset = 0
    private var showsUnread = false
    private var hasMore = false
    /// Whether a fragment has been written.
    private var isStarted = false
    private var names: [AccountID: [UInt8]] = [:]

    private static let sliceRows = 1024
    private static let sliceBytes = 256 << 10

    init(_ request: Request, view: ConversationsView, directory: AccountDirectory) throws {
        self.request = request
        self.view = view
        self.directory = directory
        let conversation = request.conversation
        snapshot = try view.snapshot(
            of: conversation.stream,
            reader: conversation.me,
            peer: conversation.isRoom ? nil : conversation.subject
        )
        readMark = max(snapshot.readerMark, request.joined)
        var first: UInt64 = 1
        var last = snapshot.messageCount
        if request.unreadOnly {
            first = try view.firstOrdinal(in: conversation.stream, after: readMark)
        } else if let before = request.frame.before {
            let end = try view.firstOrdinal(in: conversation.stream, after: Offset(before) - 1)
            last = min(last, end - 1)
        }
        remaining = first <= last ? first...last : nil
        quota = request.frame.limit.map(UInt64.init) ?? .max
    }

    var mark: Command? {
        guard showsUnread, request.frame.mark != false else { return nil }
        return .markRead(request.conversation, upTo: newestShown)
    }

    mutating func writeSlice(to bytes: inout ByteBuffer) throws -> Bool {
        var json = ByteBuffer()
        if !isStarted {
            json.writeStaticString("{\"from\":\"")
            json.writeBytes(request.peerName)
            json.writeStaticString("\",\"code\":50000,\"content\":[")
        }
        try writeRows(to: &json)
        let isDone = remaining == nil
        if shown == 0 {
            // Whether there is anything to show isn't known before something is found, or nothing is left.
            if isDone { bytes.writeTextFrame(nothing) }
            return isDone
        }
        if isDone { writeEnd(to: &json) }
        switch (isStarted, isDone) {
        case (false, true): bytes.writeTextFrame(json)
        case (false, false): bytes.writeFirstFragment(json)
        case (true, _): bytes.writeContinuation(json, isFinal: isDone)
        }
        isStarted = true
        return isDone
    }

    private mutating func writeRows(to json: inout ByteBuffer) throws {
        guard let ordinals = remaining else { return }
        let newestFirst = !request.unreadOnly
        let me = request.conversation.me
        var seen: UInt64 = 0
        var isDone = false
        // Ordinals are dense: the n-th row of the scan has the n-th ordinal.
        try view.forEachMessage(
            in: request.conversation.stream,
            from: newestFirst ? ordinals.upperBound : ordinals.lowerBound,
            newestFirst: newestFirst,
            limit: min(Self.sliceRows, ordinals.count)
        ) { row in
            seen += 1
            guard !row.isDeleted, !request.unreadOnly || row.sender != me else { return true }
            guard quota > 0 else {
                hasMore = true
                isDone = true
                return false
            }
            quota -= 1
            write(row, to: &json)
            return json.readableBytes < Self.sliceBytes
        }
        if isDone || seen == 0 || seen == UInt64(ordinals.count) {
            remaining = nil
        } else if newestFirst {
            remaining = ordinals.lowerBound...ordinals.upperBound - seen
        } else {
            remaining = ordinals.lowerBound + seen...ordinals.upperBound
        }
    }

    private mutating func write(_ row: borrowing MessageRow, to json: inout ByteBuffer) {
        let conversation = request.conversation
        let isMine = row.sender == conversation.me
        let isUnread = !isMine && row.offset > readMark
        newestShown = max(newestShown, row.offset)
        showsUnread = showsUnread || isUnread
        if shown > 0 { json.writeStaticString(",") }
        shown += 1
        json.writeStaticString("{\"ID\":")
        json.writeDecimal(row.offset)
        json.writeStaticString(",\"CreatedAt\":\"")
        json.writeTimestamp(milliseconds: row.milliseconds)
        json.writeStaticString("\",\"UpdatedAt\":\"")
        json.writeTimestamp(milliseconds: row.updatedMilliseconds)
        json.writeStaticString("\",\"DeletedAt\":null,\"send_id\":\"")
        json.writeBytes(isMine ? request.myName : senderName(row.sender))
        json.writeStaticString("\",\"receive_id\":\"")
        json.writeBytes(isMine || conversation.isRoom ? request.peerName : request.myName)
        json.writeStaticString("\",\"content\":\"")
        json.writeBytes(row.contentJSON)
        json.writeStaticString("\",\"is_read\":")
        let isRead: Bool
        if !isMine {
            isRead = !isUnread
        } else {
            isRead = conversation.isRoom || conversation.subject == conversation.me || row.offset <= snapshot.peerMark
        }
        if isRead { json.writeStaticString("true") } else { json.writeStaticString("false") }
        json.writeRedacted(row.isRedacted)
        json.writeStaticString("}")
    }

    private mutating func senderName(_ id: AccountID) -> [UInt8] {
        guard request.conversation.isRoom else { return request.peerName }
        if let known = names[id] { return known }
        let name = directory.escapedName(of: id)
        names[id] = name
        return name
    }

    private func writeEnd(to json: inout ByteBuffer) {
        json.writeStaticString("],\"as_of\":")
        json.writeDecimal(snapshot.asOf)
        if request.frame.limit != nil { json.writeString(",\"more\":\(hasMore)") }
        Session.writeReply(to: request.frame.type, ref: request.frame.ref, &json)
        json.writeStaticString("}")
    }

    private var nothing: ByteBuffer {
        Outbound.serverReply(.end, "没有更多消息了") { json in
            json.writeStaticString(",\"as_of\":")
            json.writeDecimal(snapshot.asOf)
            Session.writeReply(to: request.frame.type, ref: request.frame.ref, &json)
        }
    }
}
