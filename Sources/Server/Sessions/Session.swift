import Broker
import DequeModule
import NIOCore
import Projections

/// One socket: a cursor over the log, and the requests that its client has in flight.
///
/// Confined to its event loop.
///
/// All that it needs in order to go on is `delivered`. A socket that can't take more is *lagging*: nothing is kept for
/// it, and when it can be written to again it reads on in the log from where it stood.
final class Session {
    enum Kind {
        /// One pair of users.
        case conversation(Command.Conversation)
        /// All rooms of a user, in the shapes of the first of the two older servers.
        case room
        /// Everything of a user.
        case session
    }

    let kind: Kind
    let me: AccountID
    /// Escaped for JSON.
    let myName: [UInt8]
    /// The peer of a conversation socket, escaped for JSON.
    let peerName: [UInt8]
    let dispatcher: Dispatcher
    var services: SessionServices { dispatcher.services }

    var ticket: UInt64 = 0
    var context: ChannelHandlerContext?

    /// Every event of this socket's up to here has been written to it, as long as it lags.
    var delivered: Offset
    /// Whether live events are left for later.
    var isLagging = true
    /// The rooms whose messages it gets, as of its cursor.
    var rooms: Set<RoomID>
    /// What a query must have seen at least.
    var told: Offset

    var replies = ReplyQueue()
    /// Requests that wait for an answer before them.
    var inbox: Deque<Request> = []
    /// The request that waits for a guest to be let in.
    var heldForGuest: ClientFrame?

    /// What a client's message came to.
    enum Request {
        case request(ClientFrame)
        case invalid(BadRequest)
    }

    /// The query that is being answered.
    var answer: (any QueryAnswer)?
    var isWaitingForView = false
    /// Offsets of own messages that an ack stands for.
    var acknowledged: Deque<Offset> = []
    var isCatchingUp = false
    var isClosing = false
    var lastHeard: NIODeadline
    var lastPing: NIODeadline
    var expiry: Scheduled<Void>?

    /// Called once, when the client may be read from again.
    var whenUnsaturated: (() -> Void)?

    // Kept by the dispatcher while it hands a segment of a batch out.
    var segment: UInt64 = 0
    var groups: [Int] = []
    var onlyGroup: Int?
    var isPlain = false

    init(
        kind: Kind,
        me: AccountID,
        myName: AccountName,
        peerName: AccountName? = nil,
        rooms: Set<RoomID>,
        dispatcher: Dispatcher,
        startingAfter offset: Offset
    ) {
        self.kind = kind
        self.me = me
        self.myName = AccountDirectory.escaped(myName)
        self.peerName = peerName.map(AccountDirectory.escaped) ?? []
        self.rooms = rooms
        self.dispatcher = dispatcher
        delivered = offset
        told = offset
        lastHeard = .now()
        lastPing = lastHeard
    }

    var shape: MessageShape {
        switch kind {
        case .conversation: .conversation
        case .room: .room
        case .session: .session
        }
    }

    /// Whether some reply waits, for the writer or for its place among the events.
    var hasReplies: Bool { !replies.isEmpty }

    // MARK: Life

    /// The socket is open: greets, and catches up to what has happened since its cursor was set.
    func start(_ context: ChannelHandlerContext, expiresIn lifetime: TimeAmount?) {
        self.context = context
        if let greeting { write(greeting.textFrame) }
        if let lifetime {
            expiry = context.eventLoop.assumeIsolated().scheduleTask(in: lifetime) { [weak self] in
                self?.close(code: 4001, reason: "token expired")
            }
        }
        dispatcher.open(self)
        catchUp()
    }

    /// The socket is gone.
    func end() {
        guard context != nil else { return }
        context = nil
        answer = nil
        inbox.removeAll()
        heldForGuest = nil
        expiry?.cancel()
        dispatcher.ended(self)
    }

    /// Says good-bye because the server stops.
    func shutDown() {
        guard !isClosing else { return }
        if case .room = kind {
        } else if answer == nil {
            write(
                Outbound.serverReply(.end, "连接断开") { [delivered = cursor] json in
                    json.writeStaticString(",\"offset\":")
                    json.writeDecimal(delivered)
                }.textFrame
            )
        }
        close(code: 1001, reason: "going away")
    }

    /// Sends a close frame and waits for the client's, for as long as the configuration says.
    func close(code: UInt16, reason: String) {
        guard !isClosing, let context else { return }
        isClosing = true
        inbox.removeAll()
        answer = nil
        write(ByteBuffer.closeFrame(code: code, reason: reason))
        let wait = TimeAmount.seconds(Int64(services.settings.limits.closeSeconds))
        context.eventLoop.assumeIsolated().scheduleTask(in: wait) { [weak self] in
            self?.context?.close(promise: nil)
        }
        dispatcher.close(self)
    }

    /// Whether a close frame was sent.
    var hasSentClose: Bool { isClosing }

    /// The client sent something, a pong or a request.
    func heard() { lastHeard = .now() }

    func tick(now: NIODeadline) {
        let limits = services.settings.limits
        if now - lastHeard >= .seconds(Int64(limits.idleSeconds)) {
            context?.close(promise: nil)
        } else if now - max(lastHeard, lastPing) >= .seconds(Int64(limits.pingIntervalSeconds)) {
            lastPing = now
            write(ByteBuffer.pingFrame())
        }
    }

    /// Where the cursor stands.
    var cursor: Offset { isLagging ? delivered : max(delivered, dispatcher.position) }

    var greeting: ByteBuffer? {
        if case .room = kind { return nil }
        let limits = services.settings.limits
        return Outbound.serverReply(.success, "连接成功") { json in
            json.writeStaticString(",\"log\":\"")
            json.writeString(services.broker.log.identity.description)
            json.writeStaticString("\",\"offset\":")
            json.writeDecimal(delivered)
            json.writeString(
                ",\"limits\":{\"content_bytes\":\(limits.contentBytes),\"frame_bytes\":\(limits.frameBytes)"
                    + ",\"messages_per_second\":\(limits.messagesPerSecond),\"page_rows\":\(limits.pageRows)"
                    + ",\"pending_requests\":\(limits.pendingRequests),\"unanswered\":\(limits.unanswered)}"
            )
        }
    }

    // MARK: Writing

    func write(_ bytes: ByteBuffer) { context?.writeAndFlush(NIOAny(bytes), promise: nil) }

    /// Answers that don't wait for anything are collected over a read; control frames go at once.
    func writeEvents(_ bytes: ByteBuffer, upTo offset: Offset) {
        delivered = offset
        guard bytes.readableBytes > 0 else { return }
        write(bytes)
        // The cursor is exact here: the bytes were the last up to `offset`.
        if let context, !context.channel.isWritable { isLagging = true }
    }

    /// Leaves live events for later, from here on.
    func lag() {
        guard !isLagging else { return }
        delivered = cursor
        isLagging = true
    }
}

@available(*, unavailable)
extension Session: Sendable {}
