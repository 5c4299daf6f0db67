import Broker
import NIOCore
import Projections

// The requests of a conversation that lives: typing, who is online, edits and deletions.

extension Session {
    // MARK: Typing

    /// Passes on that the user types, or has stopped: never logged, never answered.
    func typing(_ frame: ClientFrame) {
        guard case .bool(let isTyping) = frame.content else {
            refuse(frame, .badRequest, "field 'content' (true or false) is missing or no boolean")
            return
        }
        guard let conversation = existingConversation(of: frame),
            conversation.mirrored != conversation || conversation.isRoom
        else { return }
        // In a large room everybody's typing would be a message to everybody.
        if conversation.isRoom, !services.showsReceipts(of: conversation.stream) { return }
        switch services.typing.say(isTyping, in: conversation, now: .now()) {
        case .pass: passOnTyping(isTyping, in: conversation)
        case .drop: break
        case .hold(let time):
            let (services, name) = (services, myName)
            dispatcher.loop.scheduleTask(in: time) {
                guard let held = services.typing.due(conversation, now: .now()) else { return }
                services.loops.toAll { $0.deliverTyping(held, in: conversation, by: name) }
            }
        }
    }

    private func passOnTyping(_ isTyping: Bool, in conversation: Command.Conversation) {
        services.loops.toAll { [myName] in $0.deliverTyping(isTyping, in: conversation, by: myName) }
    }

    // MARK: Presence

    /// Says who is online, and begins or ends to watch.
    func whoIsOnline(_ frame: ClientFrame) {
        guard let conversation = existingConversation(of: frame) else { return }
        switch frame.watch {
        case true:
            let limit = services.settings.limits.watches
            guard watched.count < limit || watched.contains(conversation.stream) else {
                refuse(frame, .refused, "too many watches: a socket may have \(limit)")
                return
            }
            dispatcher.watches.add(self, conversation)
        case false: dispatcher.watches.remove(self, conversation.stream)
        case nil: break
        }
        let names = dispatcher.watches.names(in: conversation)
        var json = ByteBuffer()
        json.writeStaticString("{\"from\":\"Server\",\"code\":50000,\"content\":")
        json.writeNames(names.prefix(services.settings.limits.pageRows))
        json.writeStaticString(",\"online\":")
        json.writeDecimal(names.count)
        json.writeStaticString(",\"as_of\":")
        json.writeDecimal(position)
        Self.writeReply(to: 8, ref: frame.ref, &json)
        json.writeStaticString("}")
        reply(json)
    }

    // MARK: Edits and deletions

    /// Edits (type 9) or deletes (type 10) an own message.
    func change(_ frame: ClientFrame) {
        let type = frame.type ?? 0
        guard let target = frame.target.map(Offset.init) else {
            refuse(frame, .badRequest, "field 'target' (the ID of the message) is missing")
            return
        }
        var payload: [UInt8] = []
        if type == 9 {
            guard case .text(let content) = frame.content else {
                refuse(frame, .badRequest, "field 'content' must be a string")
                return
            }
            guard fits(content, of: frame) else { return }
            payload = MessagePayload.encode(content: content, id: [])
        }
        guard let conversation = existingConversation(of: frame), isWithinRate(frame) else { return }
        let command: Command =
            type == 9
            ? .edit(Command.Edit(conversation: conversation, target: target, payload: payload))
            : .delete(conversation, target: target)
        submit(command, awaiting: .change(type: type, target: target, ref: frame.ref), for: frame)
    }

    /// The conversation that a request is about, or nil after it was refused.
    private func existingConversation(of frame: ClientFrame) -> Command.Conversation? {
        switch target(of: frame) {
        case .conversation(let conversation, _): return conversation
        case .unknownGuest: refuse(frame, .notFound, "no such user")
        case .refused(let code, let text): refuse(frame, code, text)
        }
        return nil
    }
}
