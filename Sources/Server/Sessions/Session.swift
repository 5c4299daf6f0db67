import Broker
import NIOCore
import Projections
import RawSockets

/// One socket: a cursor over the log, and the requests that its client has in flight.
///
/// Confined to its event loop.
///
/// All that it needs in order to go on is its ``Cursor``. A socket that can't take more is *lagging*: nothing is kept
/// for it, and when it can be written to again it reads on in the log from where it stood.
final class Session {
    enum Kind {
        /// One pair of users.
        case conversation(Command.Conversation)
        /// All rooms of a user, in the shapes of the first of the two older servers.
        case room
        /// Everything of a user.
        case session
    }

    // What a delivery looks at comes first, in as few lines of the processor's cache as can be: the sockets of a room
    // are many, and mostly none of this is in the cache.
    let me: AccountID
    /// Kept by the dispatcher.
    var due = Due()
    /// The channel's, once it was needed.
    var socket: BorrowedSocket?
    /// Whether a write has gone by the channel: before that, the answer to the handshake may wait there.
    var hasWritten = false
    /// Writes that the channel still has.
    var queuedWrites = 0
    var context: ChannelHandlerContext?
    /// Where it stands in the log.
    var cursor: Cursor

    let kind: Kind
    /// Escaped for JSON.
    let myName: [UInt8]
    /// The peer of a conversation socket, escaped for JSON.
    private(set) var peerName: [UInt8]
    let dispatcher: Dispatcher
    let services: SessionServices
    /// What its greeting tells; nil once it is told.
    @Rare private var beginning: SessionStart?

    var ticket: UInt64 = 0
    /// What it reads on from while it is far behind.
    @Rare var timeline: TimelineReading?
    var isCatchingUp = false
    /// What a query must have seen at least.
    var told: Offset

    /// Requests that wait for an answer before them.
    var inbox = Inbox()
    /// The request that waits for a guest to be let in.
    @Rare var heldForGuest: ClientFrame?
    /// The account that a request has named last.
    @Rare var peer: Peer?
    /// The query that is being answered.
    @Rare var answer: (any QueryAnswer)?
    /// The wait for a view that the request in hand is in; nil if none is.
    var viewWait: Int?
    private var lastViewWait = 0
    var isContinuing = false
    /// Called once, when the client may be read from again.
    var whenUnsaturated: (() -> Void)?

    /// The rooms that it is in as far as routing and presence go: those of now, wherever the cursor stands.
    var subscribed: Set<RoomID>
    /// Whether they may differ from the cursor's when that comes to the head.
    var mayDiffer = true
    /// The conversations and rooms whose presence it watches; kept by ``PresenceWatches``.
    var watched: Set<StreamID> = []
    /// Whether a change of presence could not be pushed.
    var missedPresence = false
    /// Up to here it isn't worth while to ask the indexes again.
    var scannedAnyway: Offset = 0

    /// Set when the server stops: the socket is closed as soon as all that was asked for is answered, and its client
    /// may come back after this time.
    var comesBackAfter: TimeAmount?
    private(set) var isClosing = false
    private var hasEnded = false
    private var isSoonWritable = false
    /// The answer to the last pings that came while the channel was full.
    @Rare var heldPongs: ByteBuffer?
    private var lastHeard: NIODeadline
    private var lastPing: NIODeadline
    /// When the token that it was opened with holds no longer.
    private var expiry = NIODeadline.distantFuture

    /// What a segment of a batch has for a socket, while it is handed out.
    struct Due {
        /// Which segment; what else there is belongs to it.
        var segment: UInt64 = 0
        /// The first group of events; nil if replies are all that there may be.
        var group: Int?
        /// Whether that group's shared frames are all that is due.
        var isPlain = false
        private var hasMore = false
        private var more: [Int] = []

        /// All groups, in the order in which they came.
        var groups: [Int] { (group.map { [$0] } ?? []) + (hasMore ? more : []) }

        /// Begins anew.
        mutating func begin(_ segment: UInt64, group: Int?, isPlain: Bool) {
            self.segment = segment
            self.group = group
            self.isPlain = isPlain
            guard hasMore else { return }
            hasMore = false
            more.removeAll(keepingCapacity: true)
        }

        mutating func add(_ group: Int) {
            isPlain = false
            guard self.group != nil else { return self.group = group }
            hasMore = true
            more.append(group)
        }
    }

    init(
        kind: Kind,
        me: AccountID,
        myName: [UInt8],
        peerName: [UInt8] = [],
        start: SessionStart,
        dispatcher: Dispatcher
    ) {
        self.kind = kind
        self.me = me
        self.myName = myName
        self.peerName = peerName
        self.dispatcher = dispatcher
        services = dispatcher.services
        beginning = start
        let scope: Cursor.Scope =
            switch kind {
            case .conversation(let conversation): .conversation(conversation.stream)
            case .room: .rooms
            case .session: .everything
            }
        cursor = Cursor(
            scope: scope,
            me: me,
            rooms: start.rooms,
            wantsChanges: start.wantsChanges || scope == .everything,
            after: start.offset
        )
        told = start.offset
        subscribed = start.currentRooms
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

    /// Whether it is to get its user's direct messages.
    var isSessionSocket: Bool { if case .session = kind { true } else { false } }

    /// Whether some reply waits, for the writer or for its place among the events.
    var hasReplies: Bool { !cursor.replies.isEmpty }

    /// The offset up to which everything of this socket's has been written.
    var position: Offset { cursor.offset(handedOut: dispatcher.position) }

    // MARK: Life

    /// The socket is open: greets, and catches up to what has happened since its cursor was set.
    func start(_ context: ChannelHandlerContext, expiresIn lifetime: TimeAmount?) {
        self.context = context
        dispatcher.open(self)
        let beginning = beginning.take()
        if let beginning, let greeting = greeting(at: beginning) { write(greeting.textFrame) }
        if let lifetime { expiry = .now() + lifetime }
        switch beginning?.resume {
        case nil, .some(.none): break
        case .some(.accepted): cursor.resumes()
        case .some(.refused(let refusal)): write(resumeRefusal(refusal, for: nil).textFrame)
        }
        if dispatcher.isDraining { drain(comesBackAfter: .zero) }
        // Either may have been erased since it was looked up.
        if case .conversation(let conversation) = kind, services.directory.isErased(conversation.subject) {
            forget(conversation.subject)
        }
        if services.directory.isErased(me) { forget(me) }
        catchUp()
    }

    /// Nobody may act as `account` any more, or be shown its name.
    func forget(_ account: AccountID) {
        if account == me {
            close(code: 4003, reason: "the account was erased")
        } else if case .conversation(let conversation) = kind, conversation.subject == account {
            peerName = services.directory.escapedName(of: account)
        }
    }

    /// The socket is gone.
    ///
    /// A write that fails tells so before it returns, so nothing is taken apart here: that comes a moment later.
    func end() {
        guard !hasEnded else { return }
        hasEnded = true
        context = nil
        dispatcher.loop.execute { [bound = NIOLoopBound(self, eventLoop: dispatcher.loop)] in bound.value.takeApart() }
    }

    private func takeApart() {
        answer = nil
        timeline = nil
        viewWait = nil
        inbox.removeAll()
        heldForGuest = nil
        heldPongs = nil
        dispatcher.ended(self)
    }

    /// Sends a close frame and waits for the client's, for as long as the configuration says.
    func close(code: UInt16, reason: String) {
        guard !isClosing, let context else { return }
        isClosing = true
        inbox.removeAll()
        answer = nil
        timeline = nil
        write(ByteBuffer.closeFrame(code: code, reason: reason))
        let wait = TimeAmount.seconds(Int64(services.settings.limits.closeSeconds))
        context.eventLoop.assumeIsolated().scheduleTask(in: wait) { [weak self] in
            self?.context?.close(promise: nil)
        }
        dispatcher.close(self)
    }

    /// The client sent something, a pong or a request.
    func heard() { lastHeard = .now() }

    func tick(now: NIODeadline) {
        let limits = services.settings.limits
        guard let context else { return }
        if now >= expiry { close(code: 4001, reason: "token expired") }
        // Silence of a client that reads slowly says nothing: a ping would stand behind what it hasn't read. Whether
        // its machine is still there, the kernel finds out, by what it sends again without an answer.
        guard !isFull else {
            lastHeard = now
            if limits.lagEvents > 0, cursor.resume == nil, dispatcher.position > position + UInt64(limits.lagEvents) {
                close(code: 4002, reason: "too far behind: resume after \(position)")
            }
            return
        }
        // Asked before it is cut, also by a loop that was late itself.
        if now - lastHeard >= .seconds(Int64(limits.idleSeconds)), lastPing > lastHeard {
            context.close(promise: nil)
        } else if now - max(lastHeard, lastPing) >= .seconds(Int64(limits.pingIntervalSeconds)) {
            lastPing = now
            write(ByteBuffer.pingFrame())
        }
    }

    private func greeting(at beginning: SessionStart) -> ByteBuffer? {
        if case .room = kind { return nil }
        return Outbound.serverReply(.success, "连接成功") { json in
            json.writeLog(services.logText)
            json.writeStaticString(",\"offset\":")
            json.writeDecimal(beginning.offset)
            if case .accepted = beginning.resume {
                json.writeStaticString(",\"head\":")
                json.writeDecimal(services.broker.log.head)
            }
            json.writeString(services.limitsText)
        }
    }

    // MARK: Writing

    /// Writes what there is of the log and of replies up to `offset`.
    func writeEvents(_ bytes: ByteBuffer, upTo offset: Offset) {
        cursor.advance(to: offset)
        guard bytes.readableBytes > 0 else { return }
        write(bytes)
        if isFull { lag() }
    }

    /// Writes a frame that isn't in the log, if it can go now: kept for later it would be worth nothing.
    ///
    /// - Returns: Whether it was written.
    @discardableResult
    func push(_ frame: ByteBuffer) -> Bool {
        guard !cursor.isLagging, answer == nil, !isClosing, context != nil, !isFull else { return false }
        write(frame)
        return true
    }

    /// Answers pings; while the channel is full only the last ones (RFC 6455, 5.5.3), so that nothing piles up.
    func writePongs(_ pongs: ByteBuffer) {
        guard pongs.readableBytes > 0 else { return }
        if isFull { heldPongs = pongs } else { write(pongs) }
    }

    /// Leaves live events for later, from here on.
    func lag() { cursor.lag(handedOut: dispatcher.position) }

    /// The channel takes bytes again, of which it may tell in the middle of a write: so a moment later.
    func becomesWritable(_ more: @escaping () -> Void) {
        guard !isSoonWritable, context != nil else { return }
        isSoonWritable = true
        dispatcher.later { [weak self] in
            guard let self else { return }
            isSoonWritable = false
            becameWritable()
            more()
        }
    }

    /// A wait for a view begins.
    func beginViewWait() -> Int {
        lastViewWait += 1
        viewWait = lastViewWait
        return lastViewWait
    }
}

@available(*, unavailable)
extension Session: Sendable {}
