import Broker
import Logging
import NIOCore

// What a socket is sent of the log: live, batch by batch, or from its cursor on when it lags.

extension Session {
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

    enum Interest { case none, frame, ownFrame }

    /// What this socket gets of a message.
    func interest(in header: EventHeader, at offset: Offset) -> Interest {
        while let first = acknowledged.first, first < offset { acknowledged.removeFirst() }
        let isAcknowledged = acknowledged.first == offset
        guard header.type == .messageSent else { return .none }
        switch kind {
        case .conversation(let conversation):
            return header.stream == conversation.stream && header.subject == me && !header.concernsRoom ? .frame : .none
        case .room:
            return header.concernsRoom && rooms.contains(header.stream) ? .frame : .none
        case .session:
            let isMine = header.actor == me
            guard header.concernsRoom ? rooms.contains(header.stream) : isMine || header.subject == me else {
                return .none
            }
            guard isMine else { return .frame }
            // The ack stands in the place of the message that this socket sent, unless it sent it to itself.
            return isAcknowledged && header.subject != me ? .none : .ownFrame
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
    func markDelivered(upTo offset: Offset) {
        guard case .conversation(let conversation) = kind, conversation.subject != me else { return }
        submitSilently(.markRead(conversation, upTo: offset))
    }

    // MARK: Catching up

    /// The channel takes bytes again.
    func becameWritable() {
        if answer != nil { continueAnswer() } else { catchUp() }
    }

    /// Reads on in the log from the cursor, a slice at a time, until the head or until the channel is full again.
    func catchUp() {
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
        // The cursor may have been set ahead of this loop's dispatcher, which is then told of what it has had already.
        if reached >= head, delivered <= head {
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

    static let sliceEvents = 1024
    static let sliceBytes = 64 << 10
}
