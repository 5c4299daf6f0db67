import Broker
import NIOCore

@testable import Server

/// One socket, its loop, the writer and the client, without any of them: a seeded scheduler takes their steps in some
/// order, and the client's stream is held against the log.
///
/// ```
/// writer:  commit ───────────▶ loop: hand out ──▶ cursor ──▶ channel (full at `room` frames) ──▶ client
///    ▲                                              │ lagging: read a slice of the log             │
///    └──────────── submit (send, edit) ◀────────────┴───────── resume, reconnect ◀─────────────────┘
/// ```
struct CursorSimulation {
    /// What the client has got.
    enum Frame: Equatable {
        case event(Offset, showsID: Bool)
        case ack(Offset)
        case resumed(Offset)
    }

    private struct Batch {
        var events: Range<Int>
        /// The offsets of the socket's own events, in the order of submission.
        var receipts: [Offset]
    }

    private struct Submission {
        var type: EventType
        var room: RoomID?
    }

    /// A run of one cursor: from where it was set until it is moved or the socket is lost.
    struct Run {
        var after: Offset
        var isResume: Bool
        var frames: [Frame] = []
    }

    let seed: UInt64
    private var random: SplitMix64
    let scope: Cursor.Scope
    let wantsChanges: Bool
    private let channelRoom: Int

    private(set) var log: [EventHeader] = []
    private var undelivered: [Batch] = []
    private var position: Offset = 0
    private var submitted: [Submission] = []
    private var cursor: Cursor
    /// Receipts of a socket that is gone find nobody.
    private var receiptsDue = 0

    private var channel: [Frame] = []
    private var wantsSlice = false
    private var wantedResume: Offset?
    private(set) var runs: [Run]

    static let me = AccountID(high: 0, low: 1)
    static let others = [AccountID(high: 0, low: 2), AccountID(high: 0, low: 3)]
    static let roomIDs = [RoomID(high: 7, low: 1), RoomID(high: 7, low: 2)]

    init(seed: UInt64) {
        self.seed = seed
        random = SplitMix64(seed: seed)
        let scopes: [Cursor.Scope] = [
            .everything, .rooms, .conversation(.conversation(Self.me, Self.others[0])),
        ]
        scope = scopes[Int(random.next() % 3)]
        let isChatty = random.next() % 2 == 0
        wantsChanges = scope == .everything ? true : isChatty
        channelRoom = 1 + Int(random.next() % 4)
        cursor = Cursor(scope: scope, me: Self.me, rooms: [], wantsChanges: wantsChanges, after: 0)
        runs = [Run(after: 0, isResume: false)]
        wantsSlice = true
    }

    /// Runs `steps` steps, then lets everything come to rest.
    mutating func run(steps: Int) {
        for _ in 0..<steps { step() }
        while !isAtRest {
            commit(mayAdd: false)
            handOut()
            drain(count: 8)
            slice()
        }
    }

    private var isAtRest: Bool {
        undelivered.isEmpty && submitted.isEmpty && channel.isEmpty && !wantsSlice && wantedResume == nil
            && !cursor.isLagging && cursor.replies.isEmpty
    }

    private mutating func step() {
        switch random.next() % 16 {
        case 0...3: commit(mayAdd: true)
        case 4...7: handOut()
        case 8...10: drain(count: 1 + Int(random.next() % 3))
        case 11, 12: slice()
        case 13: submit()
        case 14: if wantedResume == nil { askToResume() }
        default: if random.next() % 3 == 0 { reconnect() }
        }
    }

    // MARK: The writer

    private mutating func commit(mayAdd: Bool) {
        let first = log.count
        var receipts: [Offset] = []
        for submission in submitted {
            append(submission.type, by: Self.me, to: Self.others[0], room: submission.room)
            receipts.append(Offset(log.count))
        }
        submitted.removeAll()
        if mayAdd { for _ in 0..<random.next() % 4 { appendSomething() } }
        guard log.count > first else { return }
        undelivered.append(Batch(events: first..<log.count, receipts: receipts))
    }

    private mutating func appendSomething() {
        let room = Self.roomIDs[Int(random.next() % 2)]
        let other = Self.others[Int(random.next() % 2)]
        switch random.next() % 10 {
        case 0...2: append(.messageSent, by: other, to: Self.me, room: nil)
        case 3: append(.messageSent, by: Self.me, to: random.next() % 4 == 0 ? Self.me : other, room: nil)
        case 4, 5: append(.messageSent, by: other, to: Self.me, room: room)
        case 6: append(.messagesRead, by: other, to: Self.me, room: random.next() % 2 == 0 ? room : nil)
        case 7:
            let changes = [EventType.messageEdited, .messageDeleted, .payloadRedacted]
            append(changes[Int(random.next() % 3)], by: other, to: Self.me, room: nil)
        case 8:
            let header = EventHeader(
                type: random.next() % 2 == 0 ? .memberAdded : .memberRemoved,
                payloadClass: .empty,
                actor: other,
                subject: random.next() % 3 == 0 ? other : Self.me,
                stream: room
            )
            log.append(header)
        default: append(.messageSent, by: other, to: Self.others[0] == other ? Self.others[1] : other, room: nil)
        }
    }

    private mutating func append(_ type: EventType, by actor: AccountID, to peer: AccountID, room: RoomID?) {
        log.append(
            EventHeader(
                type: type,
                payloadClass: .empty,
                actor: actor,
                subject: room ?? peer,
                stream: room ?? .conversation(actor, peer)
            )
        )
    }

    // MARK: The loop

    /// As the dispatcher does: receipts first, then the events, membership at its very place.
    private mutating func handOut() {
        guard !undelivered.isEmpty else { return }
        let batch = undelivered.removeFirst()
        for offset in batch.receipts where receiptsDue > 0 {
            receiptsDue -= 1
            guard cursor.replies.nextAwaited() != nil else { continue }
            cursor.acknowledge(offset)
            cursor.replies.fulfil(.json(ByteBuffer(integer: offset)), at: offset)
        }
        var start = batch.events.lowerBound
        for index in batch.events where log[index].type == .memberAdded || log[index].type == .memberRemoved {
            deliver(start..<index)
            start = index + 1
            if !cursor.isLagging { _ = cursor.applyMembership(log[index]) }
        }
        deliver(start..<batch.events.upperBound)
        position = Offset(batch.events.upperBound)
        flushAlone()
        pump()
    }

    private mutating func deliver(_ range: Range<Int>) {
        guard !range.isEmpty, !cursor.isLagging else { return }
        var frames: [Frame] = []
        for index in range { take(log[index], Offset(index + 1), &frames) }
        flush(upTo: Offset(range.upperBound), &frames)
        written(frames, upTo: Offset(range.upperBound))
    }

    /// Writes replies that no event carried along.
    private mutating func flushAlone() {
        guard !cursor.isLagging else { return }
        var frames: [Frame] = []
        flush(upTo: position, &frames)
        if !frames.isEmpty { written(frames, upTo: cursor.offset(handedOut: position)) }
    }

    private mutating func take(_ header: EventHeader, _ offset: Offset, _ frames: inout [Frame]) {
        flush(upTo: offset, &frames)
        switch cursor.interest(in: header, at: offset) {
        case .none: break
        case .frame: frames.append(.event(offset, showsID: false))
        case .ownFrame: frames.append(.event(offset, showsID: true))
        }
    }

    private mutating func flush(upTo offset: Offset, _ frames: inout [Frame]) {
        while case .some(let reply) = cursor.replies.popReady(upTo: offset) {
            if case .json(var bytes) = reply, let at = bytes.readInteger(as: Offset.self) { frames.append(.ack(at)) }
        }
    }

    private mutating func written(_ frames: [Frame], upTo offset: Offset) {
        cursor.advance(to: offset)
        channel += frames
        if !frames.isEmpty, !isWritable { cursor.lag(handedOut: position) }
    }

    private var isWritable: Bool { channel.count < channelRoom }

    /// As the session catches up.
    private mutating func slice() {
        guard wantsSlice else { return }
        wantsSlice = false
        guard cursor.isLagging, isWritable else { return }
        var frames: [Frame] = []
        var reached = cursor.delivered
        var left = 1 + random.next() % 4
        while reached < position, left > 0 {
            let header = log[Int(reached)]
            reached += 1
            left -= 1
            flush(upTo: reached, &frames)
            if header.type == .memberAdded || header.type == .memberRemoved {
                _ = cursor.applyMembership(header)
            } else {
                take(header, reached, &frames)
            }
        }
        if cursor.read(upTo: reached, handedOut: position) {
            flush(upTo: .max, &frames)
            if cursor.takeResume() != nil { frames.append(.resumed(reached)) }
        }
        written(frames, upTo: reached)
        if cursor.isLagging, isWritable { wantsSlice = true }
        pump()
    }

    /// Requests that had to wait.
    private mutating func pump() {
        guard let after = wantedResume, cursor.resume == nil else { return }
        flushAlone()
        guard cursor.replies.isEmpty else { return }
        wantedResume = nil
        // What was written before still arrives, and belongs to the run before: the mark is in the channel.
        cursor.move(to: after, rooms: rooms(at: after), .request(ref: nil))
        channel.append(.resumed(.max))
        pendingRuns.append(Run(after: after, isResume: true))
        wantsSlice = true
    }

    private var pendingRuns: [Run] = []

    // MARK: The client

    private mutating func drain(count: Int) {
        let wasWritable = isWritable
        for _ in 0..<min(count, channel.count) {
            let frame = channel.removeFirst()
            if frame == .resumed(.max) {
                runs.append(pendingRuns.removeFirst())
            } else {
                runs[runs.count - 1].frames.append(frame)
            }
        }
        if !wasWritable, isWritable, cursor.isLagging { wantsSlice = true }
    }

    private mutating func submit() {
        guard cursor.resume == nil, wantedResume == nil else { return }
        let type: EventType = random.next() % 3 == 0 ? .messageEdited : .messageSent
        let room: RoomID? = scope == .rooms ? Self.roomIDs[0] : nil
        submitted.append(Submission(type: type, room: room))
        receiptsDue += 1
        cursor.replies.await(.change(type: 9, target: 0, ref: nil))
    }

    private mutating func askToResume() {
        let seen = runs[runs.count - 1].position
        switch random.next() % 3 {
        case 0: wantedResume = seen
        case 1: wantedResume = random.next() % (seen + 1)
        default: wantedResume = min(Offset(log.count), seen + random.next() % 3)
        }
        pump()
    }

    /// The socket is lost with all that is in its channel, and a new one goes on from what the client has seen.
    private mutating func reconnect() {
        // The writer has what was submitted; its receipts come to nobody.
        commit(mayAdd: false)
        receiptsDue = 0
        for index in undelivered.indices { undelivered[index].receipts = [] }
        channel.removeAll()
        pendingRuns.removeAll()
        wantedResume = nil
        // Sometimes it begins at the head of the log, which may be ahead of what its loop has handed out.
        let isResume = random.next() % 4 != 0
        let after = isResume ? runs[runs.count - 1].position : Offset(log.count)
        cursor = Cursor(
            scope: scope,
            me: Self.me,
            rooms: rooms(at: after),
            wantsChanges: wantsChanges,
            after: after
        )
        if isResume { cursor.resumes() }
        runs.append(Run(after: after, isResume: isResume))
        wantsSlice = true
    }

    // MARK: What should be

    /// The rooms that the user was in after the event at `offset`.
    func rooms(at offset: Offset) -> Set<RoomID> {
        var rooms: Set<RoomID> = []
        for header in log.prefix(Int(offset)) where header.subject == Self.me {
            if header.type == .memberAdded { rooms.insert(header.stream) }
            if header.type == .memberRemoved { rooms.remove(header.stream) }
        }
        return rooms
    }

    /// What a run from `after` to the head must bring, given the acks that it brought, the end of a resume apart.
    func expected(after: Offset, acks: Set<Offset>) -> [Frame] {
        var frames: [Frame] = []
        for offset in Offset(log.count) > after ? after + 1...Offset(log.count) : 0...0 where offset > 0 {
            let header = log[Int(offset) - 1]
            let isAcknowledged = acks.contains(offset)
            if isAcknowledged { frames.append(.ack(offset)) }
            guard isDue(offset) else { continue }
            let isOwn = header.actor == Self.me && header.type == .messageSent && scope == .everything
            // An ack stands for the event, but for an echo in a room socket and a message to oneself.
            if isAcknowledged {
                guard header.type == .messageSent, scope == .rooms || header.subject == Self.me else { continue }
            }
            frames.append(.event(offset, showsID: isOwn))
        }
        return frames
    }

    /// Whether the event at `offset` is to come to this socket, told from the log alone.
    func isDue(_ offset: Offset) -> Bool {
        let header = log[Int(offset) - 1]
        let me = Self.me
        let isRoom = header.stream == header.subject
        switch scope {
        case .conversation(let stream): guard header.stream == stream else { return false }
        case .rooms: guard isRoom, rooms(at: offset).contains(header.stream) else { return false }
        case .everything:
            guard isRoom ? rooms(at: offset).contains(header.stream) : header.actor == me || header.subject == me
            else { return false }
        }
        switch header.type {
        case .messageSent:
            if case .conversation = scope { return header.subject == me }
            return true
        case .messagesRead: return wantsChanges && header.actor != me && (isRoom || header.subject == me)
        case .messageEdited, .messageDeleted, .payloadRedacted: return wantsChanges
        default: return false
        }
    }
}

extension CursorSimulation.Run {
    /// Where a client goes on that has seen this: at the last offset of which it has heard.
    var position: Offset {
        var position = after
        for frame in frames {
            switch frame {
            case .event(let offset, _), .ack(let offset), .resumed(let offset): position = max(position, offset)
            }
        }
        return position
    }
}
