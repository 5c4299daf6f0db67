import Broker
import DequeModule

/// Where one socket stands in the log, and what it gets of each event: the whole of the hand-over between stored and
/// live events, without a socket, a clock or a disk.
///
/// A cursor is *live* when it gets each batch as it is handed out, and *lagging* when it doesn't: then nothing is kept
/// for it but `delivered`, from which it reads on in the log later.
///
/// ```
/// live ── the socket is full, a long answer begins ──▶ lagging ── reads slices until the head ──▶ live
///   └──────────── a resume moves the cursor ───────────▶ ┘
/// ```
struct Cursor {
    /// Whose events they are.
    enum Scope: Equatable {
        /// What the peer writes in one direct conversation.
        case conversation(StreamID)
        /// Every room of the user.
        case rooms
        /// Every room and every direct conversation of the user.
        case everything
    }

    /// What a socket gets of an event.
    enum Interest {
        case none
        case frame
        /// The frame of an own message, which shows the id that the client gave it.
        case ownFrame
    }

    /// What is due when a resume has reached the head.
    enum Resume {
        /// Asked for in the URL.
        case opening
        /// Asked for by a request, with its reference.
        case request(ref: [UInt8]?)
    }

    /// Whether live events are left for later.
    private(set) var isLagging = true
    /// Every event of this socket's up to here has been written to it, as long as it lags.
    private(set) var delivered: Offset
    /// The replies of this socket, which stand among the events at the offsets that they tell of.
    var replies = ReplyQueue()

    let scope: Scope
    let me: AccountID

    /// The rooms whose events it gets, as of the cursor.
    private(set) var rooms: Set<RoomID>
    /// Whether it gets reads, edits and deletions, and not only messages.
    var wantsChanges: Bool
    private(set) var resume: Resume?
    /// Offsets of own events that an ack stands for.
    private var acknowledged: Deque<Offset> = []

    init(scope: Scope, me: AccountID, rooms: Set<RoomID>, wantsChanges: Bool, after offset: Offset) {
        self.scope = scope
        self.me = me
        self.rooms = rooms
        self.wantsChanges = wantsChanges
        delivered = offset
    }

    /// Where it stands, when events up to `position` have been handed out.
    func offset(handedOut position: Offset) -> Offset { isLagging ? delivered : max(delivered, position) }

    // MARK: Events

    /// The own event at `offset` is answered by an ack, which takes its place.
    mutating func acknowledge(_ offset: Offset) { acknowledged.append(offset) }

    /// What this socket gets of the event at `offset`; to be asked in ascending order.
    ///
    /// A redaction as ``SessionServices/shownRedaction(_:)`` has it.
    mutating func interest(in header: EventHeader, at offset: Offset) -> Interest {
        while let first = acknowledged.first, first < offset { acknowledged.removeFirst() }
        switch header.type {
        case .messageSent: return interestInMessage(header, isAcknowledged: acknowledged.first == offset)
        case .messagesRead:
            guard wantsChanges, header.actor != me else { return .none }
            return concerns(header) && (header.concernsRoom || header.subject == me) ? .frame : .none
        case .messageEdited, .messageDeleted, .payloadRedacted:
            return wantsChanges && concerns(header) && acknowledged.first != offset ? .frame : .none
        default: return .none
        }
    }

    private func interestInMessage(_ header: EventHeader, isAcknowledged: Bool) -> Interest {
        guard concerns(header) else { return .none }
        switch scope {
        case .conversation: return header.subject == me ? .frame : .none
        case .rooms: return .frame
        case .everything:
            guard header.actor == me else { return .frame }
            // The ack stands in the place of the message that this socket sent, unless it sent it to itself.
            return isAcknowledged && header.subject != me ? .none : .ownFrame
        }
    }

    /// Whether the event is of a conversation or room that this socket is about.
    private func concerns(_ header: EventHeader) -> Bool {
        switch scope {
        case .conversation(let stream): header.stream == stream && !header.concernsRoom
        case .rooms: header.concernsRoom && rooms.contains(header.stream)
        case .everything:
            header.concernsRoom ? rooms.contains(header.stream) : header.actor == me || header.subject == me
        }
    }

    /// Takes a change of membership along, if it is this user's and makes a difference.
    ///
    /// - Returns: Whether it did.
    mutating func applyMembership(_ header: EventHeader) -> Bool {
        guard header.subject == me else { return false }
        if case .conversation = scope { return false }
        switch header.type {
        case .memberAdded: return rooms.insert(header.stream).inserted
        case .memberRemoved: return rooms.remove(header.stream) != nil
        default: return false
        }
    }

    // MARK: Stored and live

    /// Everything of this socket's up to `offset` is written now.
    ///
    /// To be said before it is written: nobody who is called by the write may find an old place.
    mutating func advance(to offset: Offset) { delivered = offset }

    /// Leaves live events for later, when those up to `position` have been handed out.
    mutating func lag(handedOut position: Offset) {
        guard !isLagging else { return }
        delivered = offset(handedOut: position)
        isLagging = true
    }

    /// A slice of the log was read for it, up to `reached`, while events up to `position` have been handed out.
    ///
    /// - Returns: Whether it is live from here: then all replies, and the end of a resume, are due.
    mutating func read(upTo reached: Offset, handedOut position: Offset) -> Bool {
        // A cursor may have been set ahead of its loop, which will be told of events that it isn't to get again.
        if reached >= position, delivered <= position { isLagging = false }
        return !isLagging
    }

    /// Moves the cursor: everything after `offset` comes (again), then what `resume` is due.
    ///
    /// Only when no reply waits: what was answered before is not answered again, so own messages come as events.
    mutating func move(to offset: Offset, rooms: Set<RoomID>?, _ resume: Resume) {
        precondition(replies.isEmpty, "a cursor that moves while replies wait for their places")
        acknowledged.removeAll()
        if let rooms { self.rooms = rooms }
        self.resume = resume
        delivered = offset
        isLagging = true
    }

    /// The end of the resume, to be written now that the cursor is live.
    mutating func takeResume() -> Resume? {
        defer { resume = nil }
        return resume
    }

    /// Marks a cursor that was set when the socket was opened.
    mutating func resumes() { resume = .opening }
}
