import Broker
import DequeModule
import Logging
import NIOCore
import Projections

/// One socket: a cursor over the log, and the requests that its client has in flight. Confined to its event loop.
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
    private(set) var context: ChannelHandlerContext?

    /// Every event of this socket's up to here has been written to it, as long as it lags.
    private(set) var delivered: Offset
    /// Whether live events are left for later.
    private(set) var isLagging = true
    /// The rooms whose messages it gets, as of its cursor.
    private(set) var rooms: Set<RoomID>
    /// What a query must have seen at least.
    private(set) var told: Offset

    private var replies = ReplyQueue()
    /// Requests that wait for an answer before them.
    private var inbox: Deque<Request> = []
    /// The request that waits for a guest to be let in.
    private var heldForGuest: ClientFrame?

    /// What a client's message came to.
    private enum Request {
        case request(ClientFrame)
        case invalid(BadRequest)
    }

    /// The query that is being answered.
    private var answer: (any QueryAnswer)?
    private var isWaitingForView = false
    /// Offsets of own messages that an ack stands for.
    private var acknowledged: Deque<Offset> = []
    private var isCatchingUp = false
    private var isClosing = false
    private var lastHeard: NIODeadline
    private var lastPing: NIODeadline
    private var expiry: Scheduled<Void>?

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
        if case .room = kind {} else if answer == nil {
            write(Outbound.serverReply(.end, "连接断开") { [delivered = cursor] json in
                json.writeStaticString(",\"offset\":")
                json.writeDecimal(delivered)
            }.textFrame)
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
    private var cursor: Offset { isLagging ? delivered : max(delivered, dispatcher.position) }

    private var greeting: ByteBuffer? {
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
    private func writeEvents(_ bytes: ByteBuffer, upTo offset: Offset) {
        delivered = offset
        guard bytes.readableBytes > 0 else { return }
        write(bytes)
        // The cursor is exact here: the bytes were the last up to `offset`.
        if let context, !context.channel.isWritable { isLagging = true }
    }

    /// Leaves live events for later, from here on.
    private func lag() {
        guard !isLagging else { return }
        delivered = cursor
        isLagging = true
    }

    // MARK: Live events

    /// Gets all of a room's messages of a segment, nothing else being due to this socket.
    func deliver(_ shared: ByteBuffer, upTo offset: Offset) { writeEvents(shared, upTo: offset) }

    /// Gets what several conversations and its own replies come to, in the order of offsets.
    func deliverMerged(_ frames: inout FrameCache, upTo end: Offset) {
        var due: [(index: Int, group: Int, position: Int)] = []
        for group in groups {
            for (position, index) in frames.groups[group].indices.enumerated() { due.append((index, group, position)) }
        }
        if groups.count > 1 { due.sort { $0.index < $1.index } }
        var bytes = ByteBuffer()
        var newestOfPeer: Offset = 0
        for event in due {
            let offset = frames.offset(at: event.index)
            let header = frames.batch.entries[event.index].header
            flushReplies(upTo: offset, into: &bytes)
            switch interest(in: header, at: offset) {
            case .none: break
            case .frame:
                var frame = frames.frame(group: event.group, position: event.position, shape: shape)
                bytes.writeBuffer(&frame)
                if case .conversation = kind, header.actor != me { newestOfPeer = offset }
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

    private enum Interest { case none, frame, ownFrame }

    /// What this socket gets of a message.
    private func interest(in header: EventHeader, at offset: Offset) -> Interest {
        while let first = acknowledged.first, first < offset { acknowledged.removeFirst() }
        let isAcknowledged = acknowledged.first == offset
        guard header.type == .messageSent else { return .none }
        switch kind {
        case .conversation(let conversation):
            return header.stream == conversation.stream && header.subject == me && !header.concernsRoom ? .frame : .none
        case .room:
            return header.concernsRoom && rooms.contains(header.stream) ? .frame : .none
        case .session:
            if header.concernsRoom { guard rooms.contains(header.stream) else { return .none } }
            else if header.actor == me, header.subject == me { return .frame }
            else { guard header.actor == me || header.subject == me else { return .none } }
            // The ack stands in the place of the message that this socket sent.
            if header.actor == me { return isAcknowledged ? .none : .ownFrame }
            return .frame
        }
    }

    /// A member came or went; takes this socket along if it is the one.
    func applyMembership(_ header: EventHeader) {
        guard header.subject == me else { return }
        if case .conversation = kind { return }
        if header.type == .memberAdded {
            if rooms.insert(header.stream).inserted { dispatcher.subscribe(self, to: header.stream) }
        } else if rooms.remove(header.stream) != nil {
            dispatcher.unsubscribe(self, from: header.stream)
        }
    }

    /// What was written to a conversation socket counts as read.
    private func markDelivered(upTo offset: Offset) {
        guard case .conversation(let conversation) = kind, conversation.subject != me else { return }
        submitSilently(.markRead(conversation, upTo: offset))
    }

    // MARK: Catching up

    /// The channel takes bytes again.
    func becameWritable() {
        if answer != nil { continueAnswer() } else { catchUp() }
    }

    /// Reads on in the log from the cursor, a slice at a time, until the head or until the channel is full again.
    private func catchUp() {
        guard isLagging, !isCatchingUp, answer == nil, !isClosing, let context else { return }
        guard context.channel.isWritable else { return }
        var bytes = ByteBuffer()
        var scratch = ByteBuffer()
        var newestOfPeer: Offset = 0
        let head = dispatcher.position
        var reached = delivered
        do {
            try services.broker.log.read(after: delivered, limit: Self.sliceEvents) { record in
                guard record.offset <= head else { return false }
                let header = record.header
                flushReplies(upTo: record.offset, into: &bytes)
                if header.type == .memberAdded || header.type == .memberRemoved { applyMembership(header) }
                let interest = interest(in: header, at: record.offset)
                if interest != .none {
                    MessageFrame.append(
                        header,
                        at: record.offset,
                        record.payload,
                        shape: shape,
                        showsID: interest == .ownFrame,
                        services.directory,
                        &scratch,
                        to: &bytes
                    )
                    if case .conversation = kind, header.actor != me { newestOfPeer = record.offset }
                }
                reached = record.offset
                return bytes.readableBytes < Self.sliceBytes
            }
        } catch {
            services.logger.error("a socket can't read the log", metadata: ["error": "\(error)"])
            close(code: 1011, reason: "the log can't be read")
            return
        }
        if reached >= head {
            isLagging = false
            flushReplies(upTo: .max, into: &bytes)
        }
        writeEvents(bytes, upTo: reached)
        if newestOfPeer > 0 { markDelivered(upTo: newestOfPeer) }
        if isLagging {
            // Others on this loop come first.
            isCatchingUp = true
            context.eventLoop.assumeIsolated().execute { [weak self] in
                self?.isCatchingUp = false
                self?.catchUp()
            }
        } else {
            pump()
        }
    }

    private static let sliceEvents = 1024
    private static let sliceBytes = 64 << 10

    // MARK: Receipts

    /// Takes in what became of the command that this socket submitted first of those unanswered.
    ///
    /// - Returns: Whether there may be something to write or to go on with.
    func resolve(_ outcome: Outcome, _ batch: EventBatch) -> Bool {
        guard let awaited = replies.nextAwaited() else { return false }
        let (reply, at) = receiptReply(to: awaited, outcome, batch)
        if at > 0 {
            told = max(told, at)
            if case .send = awaited, case .stored = outcome { acknowledged.append(at) }
        }
        replies.fulfil(reply, at: at)
        if case .guest = awaited, let held = heldForGuest {
            heldForGuest = nil
            if case .account = outcome { inbox.prepend(.request(held)) } else { refuse(held, .notStored, Self.notStoredText) }
        }
        return true
    }

    /// Writes the replies whose turn it is.
    private func flush() {
        guard !isLagging, answer == nil else { return }
        var bytes = ByteBuffer()
        flushReplies(upTo: dispatcher.position, into: &bytes)
        if bytes.readableBytes > 0 { writeEvents(bytes, upTo: cursor) }
    }

    private func flushReplies(upTo offset: Offset, into bytes: inout ByteBuffer) {
        while let reply = replies.popReady(upTo: offset) {
            if let json = reply { bytes.writeTextFrame(json) }
        }
    }

    func submitSilently(_ command: Command) {
        if services.broker.submit(command, origin: origin) { replies.await(.silentMark) }
    }

    private var origin: Broker.Origin { Broker.Origin(sink: dispatcher.sink, ticket: ticket) }

    // MARK: Requests

    /// Takes in a message of the client's, which is a request or nothing that we know.
    ///
    /// - Parameter isUTF8: Whether it came as text, which has been checked.
    func receive(_ payload: Span<UInt8>, isUTF8: Bool) {
        guard !isClosing else { return }
        do throws(BadRequest) {
            inbox.append(.request(try ClientFrame.parse(payload, isUTF8: isUTF8, limits: services.frameLimits)))
        } catch {
            inbox.append(.invalid(error))
        }
    }

    /// Handles requests until one has to wait for what came before it.
    func pump() {
        while !isClosing, heldForGuest == nil, !isWaitingForView, answer == nil, let next = inbox.first {
            switch next {
            case .request(let frame):
                // A query sees what was asked for before it, so that has to be answered first.
                if frame.isQuery, !replies.isEmpty || isLagging {
                    flush()
                    if !replies.isEmpty || isLagging { return }
                }
                inbox.removeFirst()
                handle(frame)
            case .invalid(let error):
                inbox.removeFirst()
                reply(Outbound.serverReply(.badRequest, error.message))
            }
        }
        flush()
        if let resume = whenUnsaturated, !isSaturated {
            whenUnsaturated = nil
            resume()
        }
    }

    /// Called once, when the client may be read from again.
    var whenUnsaturated: (() -> Void)?

    /// Whether so much waits that the client must not be read from for now.
    var isSaturated: Bool { inbox.count + replies.count >= services.settings.limits.pendingRequests }

    /// Appends a reply in its place.
    func reply(_ json: ByteBuffer) { replies.append(json) }

    /// Submits a command whose answer is due to the client.
    func submit(_ command: Command, awaiting awaited: ReplyQueue.Awaited, for frame: ClientFrame) {
        if services.broker.submit(command, origin: origin) {
            replies.await(awaited)
        } else {
            refuse(frame, .notStored, Self.notStoredText)
        }
    }

    /// Lets the named guest in, then comes back to `frame`.
    func admitGuest(_ name: AccountName, then frame: ClientFrame) {
        if services.broker.submit(.admitGuest(name), origin: origin) {
            replies.await(.guest)
            heldForGuest = frame
        } else {
            refuse(frame, .notStored, Self.notStoredText)
        }
    }

    static let notStoredText = "not stored: the log can't take it now; try again"

    // MARK: Queries

    /// Answers `frame` once `view` has seen all that this socket was told.
    func answer(_ frame: ClientFrame, from view: View, _ make: @escaping () throws -> any QueryAnswer) {
        let least = max(told, cursor)
        if view.projected >= least {
            begin(frame, make)
            return
        }
        isWaitingForView = true
        let loop = dispatcher.loop
        let state = NIOLoopBound((self, frame, make), eventLoop: loop)
        let token = view.whenProjected(least) {
            loop.execute {
                let (session, frame, make) = state.value
                guard session.isWaitingForView else { return }
                session.isWaitingForView = false
                session.begin(frame, make)
                session.pump()
            }
        }
        let wait = TimeAmount.milliseconds(Int64(services.settings.limits.queryWaitMilliseconds))
        loop.assumeIsolated().scheduleTask(in: wait) { [weak self] in
            guard let self, isWaitingForView, inboxIsStuck(on: least, view) else { return }
            token.cancel()
            isWaitingForView = false
            refuse(frame, .notStored, "the view of this answer is behind or away; try again")
            pump()
        }
    }

    private func inboxIsStuck(on least: Offset, _ view: View) -> Bool { view.projected < least }

    private func begin(_ frame: ClientFrame, _ make: () throws -> any QueryAnswer) {
        do {
            answer = try make()
            continueAnswer()
        } catch {
            answer = nil
            services.logger.error("a query failed", metadata: ["error": "\(error)"])
            refuse(frame, .notStored, "the view of this answer is away; try again")
            flush()
        }
    }

    /// Writes the answer on, a slice at a time: a long one is a fragmented message (RFC 6455, 5.4), between whose
    /// fragments only control frames may come, so the socket lags meanwhile.
    private func continueAnswer() {
        guard let context, answer != nil, !isClosing else { return }
        do {
            while context.channel.isWritable, var current = answer {
                var bytes = ByteBuffer()
                let isDone = try current.writeSlice(to: &bytes)
                answer = isDone ? nil : current
                if !isDone { lag() }
                if bytes.readableBytes > 0 { write(bytes) }
                if isDone {
                    if let mark = current.mark { submitSilently(mark) }
                    finishAnswer()
                    return
                }
                // Others on this loop come first.
                context.eventLoop.assumeIsolated().execute { [weak self] in self?.continueAnswer() }
                return
            }
        } catch {
            services.logger.error("a query failed", metadata: ["error": "\(error)"])
            answer = nil
            close(code: 1011, reason: "the answer can't be read")
        }
    }

    private func finishAnswer() {
        if let context, !context.channel.isWritable { lag() }
        if isLagging { catchUp() } else { flush() }
    }
}

@available(*, unavailable)
extension Session: Sendable {}
