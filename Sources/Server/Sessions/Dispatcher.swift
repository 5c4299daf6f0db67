import Broker
import Cryptography
import NIOCore

/// Hands committed events to the sockets of one event loop, and is confined to it.
///
/// Everything that a batch holds for a socket, acks included, goes out in one write: what a delivery costs is the
/// write, not the message. Sockets that only get one room's messages share that room's bytes.
final class Dispatcher {
    let loop: any EventLoop
    /// Runs tasks here.
    let executor: LoopTaskExecutor
    /// Which sink of receipts is this loop's.
    let sink: Int
    let services: SessionServices
    let watches: PresenceWatches
    let admissions: Admissions
    /// The offset up to which events have been handed out.
    private(set) var position: Offset
    /// Events after this one, up to ``position``, are of accounts that came: no socket is shown them.
    private(set) var lastShown: Offset

    private var sessions: [UInt64: Session] = [:]
    private var lastTicket: UInt64 = 0
    /// Conversation sockets, by whose they are and the conversation.
    private var conversations: [Command.Conversation: [Session]] = [:]
    /// Session and room sockets by room.
    private var rooms: [RoomID: [Session]] = [:]
    /// Session and room sockets by account: who is to hear of a change of membership.
    ///
    /// The session sockets among them are to hear of direct messages: a table of their own would cost each idle one
    /// 90 bytes.
    private var members: [AccountID: [Session]] = [:]

    private var touched: [Session] = []
    /// Counts segments, so that a session knows whether it was touched in this one.
    private var segment: UInt64 = 0
    private(set) var isDraining = false
    /// Sockets whose cursor is ahead of this loop.
    private var parked: [Session] = []
    private var nextRound: [() -> Void] = []
    private var isRoundDue = false
    private var isWakeDue = false
    /// What frames are unmasked into; see ``FrameDecoder``.
    var scratch: [UInt8] = []
    /// What answers were written into last; see ``takeAnswerBytes()``.
    var answerBytes = ByteBuffer()
    /// What an ack is written into before its length is known.
    var ackScratch: [UInt8] = []
    /// Hashes clients' message ids.
    let hasher = SHA256()
    /// Sockets whose channel is open, those that are closing included.
    private var openCount = 0
    private var whenEmpty: EventLoopPromise<Void>?

    init(loop: any EventLoop, sink: Int, services: SessionServices, position: Offset) {
        self.loop = loop
        executor = LoopTaskExecutor(loop)
        self.sink = sink
        self.services = services
        watches = PresenceWatches(services: services, loop: loop, index: sink)
        admissions = Admissions(broker: services.broker, loop: loop, sink: sink)
        self.position = position
        lastShown = position
    }

    // MARK: Sockets come and go

    /// Takes in a socket whose cursor stands at its `delivered`; it catches up if that is behind.
    func open(_ session: Session) {
        openCount += 1
        lastTicket += 1
        session.ticket = lastTicket
        sessions[lastTicket] = session
        switch session.kind {
        case .conversation(let conversation):
            conversations[conversation, default: []].append(session)
            services.presence.enter(conversation)
        case .session:
            members[session.me, default: []].append(session)
            services.presence.enterSession(session.me)
        case .room:
            members[session.me, default: []].append(session)
        }
        for room in session.subscribed { subscribe(session, to: room) }
    }

    func close(_ session: Session) {
        guard sessions.removeValue(forKey: session.ticket) != nil else { return }
        for stream in session.watched { watches.remove(session, stream) }
        switch session.kind {
        case .conversation(let conversation):
            Self.remove(session, from: conversation, in: &conversations)
            services.presence.leave(conversation)
        case .session:
            Self.remove(session, from: session.me, in: &members)
            services.presence.leaveSession(session.me)
        case .room:
            Self.remove(session, from: session.me, in: &members)
        }
        for room in session.subscribed { unsubscribe(session, from: room) }
    }

    func subscribe(_ session: Session, to room: RoomID) {
        rooms[room, default: []].append(session)
        services.presence.enter(room, session.me)
    }

    func unsubscribe(_ session: Session, from room: RoomID) {
        Self.remove(session, from: room, in: &rooms)
        services.presence.leave(room, session.me)
    }

    private static func remove<Key>(_ session: Session, from key: Key, in table: inout [Key: [Session]]) {
        // Out of the table while it changes: else the array is copied.
        guard var list = table.removeValue(forKey: key) else { return }
        if let index = list.firstIndex(where: { $0 === session }) {
            list.swapAt(index, list.count - 1); list.removeLast()
        }
        if !list.isEmpty { table[key] = list }
    }

    /// The channel of a socket is closed.
    func ended(_ session: Session) {
        close(session)
        openCount -= 1
        if openCount == 0 { whenEmpty?.succeed() }
    }

    /// Says good-bye to every socket, spread over half of `time` if they are many, and to those that come later at
    /// once.
    ///
    /// - Returns: Done when every channel is closed.
    func drain(over time: TimeAmount) -> EventLoopFuture<Void> {
        isDraining = true
        let gone = loop.makePromise(of: Void.self)
        whenEmpty = gone
        if openCount == 0 { gone.succeed() }
        let waiting = sessions.values.sorted { $0.ticket < $1.ticket }
        // A hundred at a time are no storm. The clients are asked to come back over the same time, one after the other.
        let steps = max(1, min(waiting.count / 100, 100))
        for step in 0..<steps {
            let part = waiting.count * step / steps..<waiting.count * (step + 1) / steps
            let drainPart = {
                for index in part {
                    let share = time.nanoseconds * Int64(index) / Int64(waiting.count)
                    waiting[index].drain(comesBackAfter: .nanoseconds(share))
                }
            }
            if step == 0 {
                drainPart()
            } else {
                let delay = TimeAmount.nanoseconds(time.nanoseconds / 2 * Int64(step) / Int64(steps))
                loop.assumeIsolated().scheduleTask(in: delay, drainPart)
            }
        }
        return gone.futureResult
    }

    /// What the sockets hold and wait for, right now.
    func counters() -> SessionCounters {
        var all = SessionCounters(handedOut: position)
        for session in sessions.values { all.add(SessionCounters(of: session)) }
        return all
    }

    /// Pings who is silent and cuts who stays so; once a second.
    func tick(now: NIODeadline) {
        for session in Array(sessions.values) { session.tick(now: now) }
    }

    // MARK: Commands

    /// Submits a command whose receipt comes back to `session`.
    ///
    /// The writer is woken when this turn of the loop is over: what all sockets have sent meanwhile is one commit.
    ///
    /// - Returns: False if it can't be taken now; there will be no receipt then.
    func submit(_ command: Command, of session: Session) -> Bool {
        let origin = Broker.Origin(sink: sink, ticket: session.ticket)
        guard services.broker.submit(command, origin: origin, wakesWriter: false) else { return false }
        wakeWriterSoon()
        return true
    }

    /// Wakes the writer when this turn of the loop is over, for what is submitted in it.
    func wakeWriterSoon() {
        guard !isWakeDue else { return }
        isWakeDue = true
        loop.assumeIsolated().execute { [self] in
            isWakeDue = false
            services.broker.wakeWriter()
        }
    }

    // MARK: Events

    /// Hands out a batch and answers the commands that came by this loop.
    func dispatch(_ batch: CommittedBatch) {
        loop.preconditionInEventLoop()
        var answered: [Session] = []
        var admitted: [Admissions.Admitted] = []
        for receipt in batch.receipts[sink] {
            if let session = sessions[receipt.ticket] {
                if session.resolve(receipt.outcome, batch.events) { answered.append(session) }
            } else if let guest = admissions.resolve(receipt) {
                admitted.append(guest)
            }
        }
        learnNames(batch.events)
        var frames = FrameCache(batch: batch.events, services: services)
        var start = 0
        let entries = batch.events.entries
        for (index, entry) in entries.enumerated()
        where entry.header.type == .memberAdded || entry.header.type == .memberRemoved {
            // Membership changes exactly at its offset: what came before is handed out under the old one.
            deliver(start..<index, answered, &frames)
            start = index + 1
            for session in members[entry.header.subject] ?? [] { session.follow(entry.header) }
        }
        deliver(start..<entries.count, answered, &frames)
        if !batch.events.isEmpty { position = batch.events.last }
        for session in answered { session.finishBatch() }
        forget(batch.events.erasedAccounts)
        for guest in admitted { guest.then(guest.outcome) }
        guard !parked.isEmpty else { return }
        let waiting = parked
        parked.removeAll()
        for session in waiting { session.catchUp() }
    }

    private func forget(_ accounts: [AccountID]) {
        guard !accounts.isEmpty else { return }
        watches.forgetNames()
        for session in Array(sessions.values) { for account in accounts { session.forget(account) } }
    }

    /// Runs `work` after what the other sockets of this loop have sent is read.
    ///
    /// NIO runs tasks that tasks have left behind before it looks at its sockets again, those that are due by now too:
    /// a chain of `execute`s, or several of them in turn, would keep everybody else waiting until it ends. So all work
    /// is done in rounds, and the next round isn't due before this one is over.
    func later(_ work: @escaping () -> Void) {
        nextRound.append(work)
        scheduleRound()
    }

    private func scheduleRound() {
        guard !isRoundDue, !nextRound.isEmpty else { return }
        isRoundDue = true
        loop.assumeIsolated().scheduleTask(in: Self.betweenRounds) { [weak self] in self?.runRound() }
    }

    private func runRound() {
        let round = nextRound
        nextRound.removeAll()
        for work in round { work() }
        isRoundDue = false
        scheduleRound()
    }

    private static let betweenRounds = TimeAmount.microseconds(20)

    /// Lets `session` catch up when this loop has heard of more.
    func park(_ session: Session) { parked.append(session) }

    private func learnNames(_ batch: EventBatch) {
        for (index, entry) in batch.entries.enumerated() {
            guard entry.header.type == .userRegistered || entry.header.type == .guestSeen else {
                lastShown = batch.first + Offset(index)
                continue
            }
            let name = try? batch.withRecord(at: index) { try $0.decodePayload().accountName }
            if let name = name ?? nil { services.directory.insert(name, for: entry.header.actor) }
        }
    }

    /// Hands out the events at `range`, in which nobody joins or leaves.
    private func deliver(_ range: Range<Int>, _ answered: [Session], _ frames: inout FrameCache) {
        guard !range.isEmpty else { return }
        segment += 1
        touched.removeAll(keepingCapacity: true)
        frames.group(range)
        for session in answered where !session.cursor.isLagging { touch(session, group: nil) }
        for group in frames.groups.indices {
            let header = frames.header(ofGroup: group)
            if header.concernsRoom {
                let senders = frames.senders(ofGroup: group)
                let isPlain = frames.groups[group].isPlain
                for session in rooms[header.stream] ?? [] {
                    touch(session, group: group)
                    // A sender's session socket gets acks in the place of its own messages.
                    if !isPlain || senders.contains(session.me) { session.due.isPlain = false }
                }
            } else {
                touchDirect(header, group: group, hasMessages: frames.groups[group].hasMessages)
            }
        }
        let end = frames.batch.first + Offset(range.upperBound) - 1
        for session in touched {
            if session.due.isPlain, let group = session.due.group {
                session.deliver(frames.shared(group: group, shape: session.shape), upTo: end)
            } else {
                session.deliverMerged(&frames, upTo: end)
            }
        }
    }

    private func touchDirect(_ header: EventHeader, group: Int, hasMessages: Bool) {
        let one = Command.Conversation(direct: header.stream, me: header.actor, peer: header.subject)
        let other = Command.Conversation(direct: header.stream, me: header.subject, peer: header.actor)
        for side in one == other ? [one] : [one, other] {
            for session in conversations[side] ?? [] where hasMessages || session.cursor.wantsChanges {
                touch(session, group: group).due.isPlain = false
            }
            for session in members[side.me] ?? [] where session.isSessionSocket {
                touch(session, group: group).due.isPlain = false
            }
        }
    }

    @discardableResult
    private func touch(_ session: Session, group: Int?) -> Session {
        if session.cursor.isLagging { return session }
        if session.due.segment != segment {
            session.due.begin(segment, group: group, isPlain: group != nil && !session.hasReplies)
            touched.append(session)
        } else if let group {
            session.due.add(group)
        }
        return session
    }

    // MARK: Room for answers

    /// An empty buffer for an answer, mostly the one of the last answer: the pages of a new one, of some hundred
    /// kilobytes, cost more than what is written into them.
    ///
    /// To be put back into ``answerBytes``. If a channel has to wait with its bytes, the next answer gets another.
    func takeAnswerBytes() -> ByteBuffer {
        var bytes = ByteBuffer()
        swap(&bytes, &answerBytes)
        bytes.clear(minimumCapacity: 0)
        return bytes
    }

    /// `bytes` for a channel that may have to wait with them: a copy if it would keep much more memory than they take.
    static func toKeep(_ bytes: ByteBuffer) -> ByteBuffer {
        bytes.capacity <= 64 << 10 || bytes.readableBytes > bytes.capacity / 4
            ? bytes : ByteBuffer(bytes: bytes.readableBytesView)
    }

    // MARK: What isn't in the log

    /// Passes on that somebody types to whoever else is there.
    func deliverTyping(_ isTyping: Bool, in conversation: Command.Conversation, by name: [UInt8]) {
        let room = conversation.isRoom ? conversation.stream : nil
        let others: [Session]
        if let room {
            others = (rooms[room] ?? []).filter { $0.me != conversation.me }
        } else {
            others =
                (conversations[conversation.mirrored] ?? [])
                + (members[conversation.subject] ?? []).filter(\.isSessionSocket)
        }
        let listening = others.filter(\.cursor.wantsChanges)
        guard !listening.isEmpty else { return }
        let recipient = room == nil ? services.directory.escapedName(of: conversation.subject) : []
        let frame = Outbound.typing(isTyping, by: name, room: room, recipient: recipient).textFrame
        for session in listening { session.push(frame) }
    }
}

@available(*, unavailable)
extension Dispatcher: Sendable {}

extension EventPayload {
    fileprivate var accountName: AccountName? {
        switch self {
        case .userRegistered(let user): user.account
        case .guestSeen(let account): account
        default: nil
        }
    }
}
