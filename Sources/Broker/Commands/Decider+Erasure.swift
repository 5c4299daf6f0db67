internal import LMDB

// What takes payloads out of the log again, and what the server says of itself.

extension Decider {
    mutating func redact(_ redaction: Command.Redaction) throws -> Outcome {
        // All that may refuse is asked first: a refused command has appended nothing.
        var targets: [(offset: Offset, header: EventHeader, id: MessageKey?)] = []
        for offset in redaction.offsets {
            guard let event = try event(at: offset) else { throw Refusal.noSuchEvent }
            guard !event.isRedacted else { continue }
            guard isErasable(event.header) else { throw Refusal.notErasable }
            _ = try streams.value(of: event.header.stream, otherwise: state.stream)
            targets.append((offset, event.header, try ownedID(of: event, at: offset)))
        }
        let reason = try EventPayload.payloadRedacted(reason: redaction.reason).encode()
        var last: Offset?
        for target in targets where !isRedacting(target.offset) {
            let offset = try append(
                EventHeader(
                    type: .payloadRedacted,
                    payloadClass: reason.isEmpty ? .empty : .content,
                    actor: redaction.actor,
                    subject: target.header.subject,
                    stream: target.header.stream,
                    reference: target.offset
                ),
                payload: reason
            )
            redactPayload(at: target.offset)
            if let id = target.id { messages.set(nil, for: id, at: offset) }
            last = offset
        }
        return last.map { .stored(last: $0) } ?? .unchanged(redaction.offsets.last ?? 0)
    }

    /// Whether the payload of such an event may go.
    private func isErasable(_ header: EventHeader) -> Bool {
        guard header.payloadClass != .empty else { return false }
        switch header.type {
        // The table of names would still have the name, and an account without one can't be found any more.
        case .userRegistered, .guestSeen: return isErased(header.subject)
        // Without its digest it says nothing, and there is nothing of anybody in it.
        case .viewAttested: return false
        default: return true
        }
    }

    /// The key under which a send of the same message is recognised, if it leads to this one.
    ///
    /// It goes with the message: an id that a client made up may say something, and its hash can be guessed. So a send
    /// that is repeated after the redaction is a new message.
    private mutating func ownedID(of event: FoundEvent, at offset: Offset) throws -> MessageKey? {
        guard event.header.type == .messageSent, !event.messageID.isEmpty else { return nil }
        let state = state
        guard state.conversationsProjected >= messageIDsNeeded else { throw Refusal.unavailable }
        let key = MessageKey(
            sender: event.header.actor,
            hash: Identifier(hashingMessageID: event.messageID.span)
        )
        let first = try messages.value(of: key, otherwise: { try state.message(withID: $0.hash, from: $0.sender) })
        return first == offset ? key : nil
    }

    /// The name is free again.
    ///
    /// To keep it from others the log would have to remember it, and a hash of a name is as good as the name to whoever
    /// guesses. Nobody who takes it gets anything of the old account, because events refer to accounts by id.
    mutating func eraseUser(_ erasure: Command.UserErasure) throws -> Outcome {
        guard !isErased(erasure.account) else { return .unchanged(0) }
        guard !erasure.names.isEmpty else { throw Refusal.noSuchAccount }
        for name in erasure.names {
            guard try account(named: name) == erasure.account else { throw Refusal.noSuchAccount }
        }
        let reason = try EventPayload.userErased(reason: erasure.reason).encode()
        let offset = try append(
            EventHeader(
                type: .userErased,
                payloadClass: reason.isEmpty ? .empty : .content,
                actor: erasure.actor,
                subject: erasure.account,
                stream: erasure.account
            ),
            payload: reason
        )
        erase(erasure.account, names: erasure.names)
        return .stored(last: offset)
    }

    mutating func attest(_ views: [EventPayload.AttestedView], at offset: Offset) throws -> Outcome {
        guard offset >= 1, offset < batch.first else { throw Refusal.noSuchEvent }
        let header = EventHeader(
            type: .viewAttested,
            payloadClass: views.isEmpty ? .empty : .content,
            actor: .none,
            subject: .system,
            stream: .system,
            reference: offset
        )
        return .stored(last: try append(header, payload: try EventPayload.viewAttested(views).encode()))
    }
}

extension Command {
    /// The accounts that must still be there: who acts, and who is written to or taken into a room.
    var accounts: [AccountID] {
        switch self {
        case .send(let message): [message.conversation.me, message.conversation.subject]
        case .markRead(let conversation, _), .delete(let conversation, _): [conversation.me]
        case .edit(let change): [change.conversation.me]
        case .recordLogin(let account, _, _), .recordFailedLogin(let account, _), .recordAuditorRead(let account, _):
            [account]
        case .createRoom(_, let creator, _, let members): [creator] + members
        case .addMember(let account, _, let actor): [account, actor]
        case .removeMember(_, _, let actor): [actor]
        case .redact(let redaction): [redaction.actor]
        case .eraseUser(let erasure): [erasure.actor]
        case .admitGuest, .register, .attest: []
        }
    }
}
