import Broker
import Logging
import NIOCore
import Projections

// From the cursor to the head of the log, a slice at a time: near the head by reading the log on, far behind it by the
// views' indexes, so that the cost is by what concerns this socket and not by what happened meanwhile.

extension Session {
    /// What a slice has come to so far.
    private struct Slice {
        var bytes = ByteBuffer()
        var scratch = ByteBuffer()
        /// Everything up to here is in it.
        var reached: Offset
        /// The newest message that becomes read by this.
        var newestOfPeer: Offset = 0
        /// Rooms that were asked about, whether reading shows in them.
        var receipts: [RoomID: Bool] = [:]

        var isFull: Bool { bytes.readableBytes >= Session.sliceBytes }
    }

    /// The channel takes bytes again.
    func becameWritable() {
        if let pongs = heldPongs {
            heldPongs = nil
            write(pongs)
        }
        // What goes on by itself in a moment isn't hurried.
        if answer == nil { catchUp() } else if !isContinuing { continueAnswer() }
    }

    /// Reads on from the cursor, a slice at a time, until the head or until the channel is full again.
    func catchUp() {
        guard cursor.isLagging, !isCatchingUp, answer == nil, !isClosing, let context else { return }
        guard context.channel.isWritable else { return }
        let head = dispatcher.position
        guard cursor.delivered <= head else {
            // It was set ahead of this loop, which will hear of those events in a moment.
            dispatcher.park(self)
            return
        }
        var slice = Slice(reached: cursor.delivered)
        if cursor.delivered >= dispatcher.lastShown { slice.reached = head }
        do {
            // A view that is away costs speed, nothing else: the log has it all.
            let hasRead = slice.reached == head || ((try? readTimeline(upTo: head, into: &slice)) ?? false)
            if !hasRead { try readLog(upTo: head, into: &slice) }
        } catch {
            services.logger.error("a socket can't read the log", metadata: ["error": "\(error)"])
            close(code: 1011, reason: "the log can't be read")
            return
        }
        if cursor.read(upTo: slice.reached, handedOut: head) {
            timeline = nil
            reconcileRooms()
            flushReplies(upTo: .max, into: &slice.bytes)
            appendResumeEnd(at: slice.reached, to: &slice.bytes)
        }
        writeEvents(slice.bytes, upTo: slice.reached)
        if slice.newestOfPeer > 0 { markDelivered(upTo: slice.newestOfPeer) }
        if cursor.isLagging { catchUpSoon() }
        pump()
    }

    /// Reads on after the others on this loop.
    func catchUpSoon() {
        guard !isCatchingUp, context != nil else { return }
        isCatchingUp = true
        dispatcher.later { [weak self] in
            self?.isCatchingUp = false
            self?.catchUp()
        }
    }

    private func readLog(upTo head: Offset, into slice: inout Slice) throws {
        try services.broker.log.read(after: slice.reached, limit: Self.sliceEvents) { record in
            guard record.offset <= head else { return false }
            take(record, into: &slice)
            return !slice.isFull
        }
    }

    /// Reads by the indexes, if the head is far away.
    ///
    /// - Returns: Whether it did.
    private func readTimeline(upTo head: Offset, into slice: inout Slice) throws -> Bool {
        if timeline == nil { timeline = makeTimeline(from: slice.reached, to: head) }
        guard var reading = timeline.take() else { return false }
        guard try reading.timeline.prepare(Self.openedStreams) else {
            // Of ten thousand rooms not all in one slice.
            timeline = reading
            return true
        }
        if reading.offsets.isEmpty {
            var offsets: [Offset] = []
            try reading.timeline.next(Self.indexedEvents, into: &offsets)
            reading.offsets = offsets[...]
        }
        let due = Array(reading.offsets.prefix { $0 <= head })
        guard !due.isEmpty else {
            slice.reached = max(slice.reached, min(head, reading.timeline.asOf))
            return true
        }
        try services.broker.log.read(at: due) { record in
            take(record, into: &slice)
            return !slice.isFull
        }
        reading.offsets = reading.offsets.drop { $0 <= slice.reached }
        timeline = reading
        return true
    }

    /// Nil when reading the log is as good, or a view that has the indexes is away or behind.
    private func makeTimeline(from start: Offset, to head: Offset) -> TimelineReading? {
        let worthwhile = max(Self.scannedEvents, Offset(cursor.rooms.count) * Self.scannedEventsPerRoom)
        guard start >= scannedAnyway, head > start, head - start > worthwhile else { return nil }
        let scope: Timeline.Scope =
            switch kind {
            case .conversation(let conversation): .conversation(conversation.stream)
            case .room: .rooms(me)
            case .session: .everything(me)
            }
        let made = try? Timeline(scope, after: start, includesChanges: cursor.wantsChanges, in: services.views)
        guard let made, made.asOf > start + worthwhile else {
            scannedAnyway = start + worthwhile
            return nil
        }
        return TimelineReading(timeline: made)
    }

    private func take(_ record: borrowing Record, into slice: inout Slice) {
        var header = record.header
        flushReplies(upTo: record.offset, into: &slice.bytes)
        slice.reached = record.offset
        if header.type == .memberAdded || header.type == .memberRemoved {
            if cursor.applyMembership(header) { mayDiffer = true }
            return
        }
        if header.type == .payloadRedacted {
            guard cursor.wantsChanges, let shown = services.shownRedaction(header) else { return }
            header = shown
        }
        let interest = cursor.interest(in: header, at: record.offset)
        guard interest != .none else { return }
        if header.type == .messagesRead, header.concernsRoom, !showsReceipts(of: header.stream, &slice) { return }
        MessageFrame.append(
            header,
            at: record.offset,
            record.payload,
            isRedacted: record.isRedacted,
            shape: shape,
            showsID: interest == .ownFrame,
            services.directory,
            &slice.scratch,
            to: &slice.bytes
        )
        if isRead(byDeliveryOf: header) { slice.newestOfPeer = record.offset }
    }

    private func showsReceipts(of room: RoomID, _ slice: inout Slice) -> Bool {
        if let known = slice.receipts[room] { return known }
        let shows = services.showsReceipts(of: room)
        slice.receipts[room] = shows
        return shows
    }

    private static let sliceEvents = 1024
    fileprivate static let sliceBytes = 64 << 10
    /// A gap up to this is read in the log: that is quicker than to look into the indexes of many conversations.
    private static let scannedEvents: Offset = 1024
    /// To find a room's place in its index takes as long as to read this many events.
    private static let scannedEventsPerRoom: Offset = 32
    private static let indexedEvents = 256
    private static let openedStreams = 256
}

/// A timeline, and what of it has been fetched and not yet read.
struct TimelineReading {
    var timeline: Timeline
    var offsets: ArraySlice<Offset> = []
}
