internal import LMDB

// Who may send a message, mark others' as read, and change one after it was sent.

extension Decider {
    mutating func send(_ message: Command.Message) throws -> Outcome {
        let conversation = message.conversation
        if let hash = message.idHash {
            // Before the view knows the ids of all that was sent before the start, it can't be told new from old.
            let state = state
            guard state.conversationsProjected >= messageIDsNeeded else { throw Refusal.unavailable }
            let key = MessageKey(sender: conversation.me, hash: hash)
            if let first = try messages.value(
                of: key,
                otherwise: { try state.message(withID: $0.hash, from: $0.sender) }
            ) {
                return .duplicate(first)
            }
        }
        if conversation.isRoom {
            try requireMember(conversation.me, of: conversation.stream)
        } else if limits.unanswered > 0, conversation.subject != conversation.me {
            let stream = try streams.value(of: conversation.stream, otherwise: state.stream)
            guard stream.lastSender != conversation.me || stream.run < UInt64(limits.unanswered) else {
                throw Refusal.unanswered
            }
        }
        let offset = try append(.messageSent, in: conversation, payload: message.payload)
        if let hash = message.idHash {
            messages.set(offset, for: MessageKey(sender: conversation.me, hash: hash), at: offset)
        }
        return .stored(last: offset)
    }

    mutating func markRead(_ conversation: Command.Conversation, upTo: Offset) throws -> Outcome {
        if conversation.isRoom { try requireMember(conversation.me, of: conversation.stream) }
        let stream = try streams.value(of: conversation.stream, otherwise: state.stream)
        let mark = try marks.value(of: conversation) { [state] in try state.mark(of: $0.me, in: $0.stream) }
        // Beyond what others wrote there is nothing to mark: such a mark would say nothing new and only grow the log.
        let target = min(upTo, stream.lastMessage(notFrom: conversation.me))
        guard target > mark else { return .unchanged(max(mark, min(upTo, stream.lastMessage))) }
        let offset = try append(.messagesRead, in: conversation, reference: target)
        marks.set(target, for: conversation, at: offset)
        return .stored(last: offset)
    }

    mutating func edit(_ change: Command.Edit) throws -> Outcome {
        let conversation = change.conversation
        let message = try ownMessage(at: change.target, in: conversation)
        // Of what was erased nothing is left to be edited.
        guard !message.isRedacted, !(try isDeleted(change.target, in: conversation.stream)) else {
            throw Refusal.noSuchMessage
        }
        let offset = try append(.messageEdited, in: conversation, payload: change.payload, reference: change.target)
        return .stored(last: offset)
    }

    mutating func delete(_ target: Offset, in conversation: Command.Conversation) throws -> Outcome {
        _ = try ownMessage(at: target, in: conversation)
        guard !(try isDeleted(target, in: conversation.stream)) else { return .unchanged(target) }
        let offset = try append(.messageDeleted, in: conversation, reference: target)
        deletions.set(true, for: target, at: offset)
        return .stored(last: offset)
    }

    /// Appends what somebody does in a conversation or room.
    private mutating func append(
        _ type: EventType,
        in conversation: Command.Conversation,
        payload: [UInt8] = [],
        reference: Offset = 0
    ) throws -> Offset {
        try append(
            EventHeader(
                type: type,
                payloadClass: payload.isEmpty ? .empty : .content,
                actor: conversation.me,
                subject: conversation.subject,
                stream: conversation.stream,
                reference: reference
            ),
            payload: payload
        )
    }

    /// The message at `target`, if it is one of this conversation and of who asks.
    ///
    /// Asked of the log and not of a view: a header never changes, so there is nothing to catch up with.
    private mutating func ownMessage(at target: Offset, in conversation: Command.Conversation) throws -> FoundEvent {
        if conversation.isRoom { try requireMember(conversation.me, of: conversation.stream) }
        guard let event = try event(at: target), event.header.type == .messageSent,
            event.header.stream == conversation.stream
        else { throw Refusal.noSuchMessage }
        guard event.header.actor == conversation.me else { throw Refusal.notAuthor }
        return event
    }

    /// The event at `offset`, in the log or in the batch being built.
    func event(at offset: Offset) throws -> FoundEvent? {
        guard offset >= batch.first else {
            var found = try findEvent(offset)
            if isRedacting(offset) { found?.isRedacted = true }
            return found
        }
        guard offset <= batch.last else { return nil }
        let index = Int(offset - batch.first)
        let header = batch.entries[index].header
        let id = batch.withPayload(at: index) { [UInt8](copying: MessagePayload.id(of: $0)) }
        return FoundEvent(
            header: header,
            isRedacted: isRedacting(offset),
            messageID: header.type == .messageSent ? id : []
        )
    }

    private mutating func isDeleted(_ message: Offset, in stream: StreamID) throws -> Bool {
        try deletions.value(of: message) { [state] in try state.isDeleted($0, in: stream) }
    }
}
