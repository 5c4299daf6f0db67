import Broker
import NIOCore
import Projections

// What the requests of PROTOCOL's envelope do, and what is answered to them.

extension Session {
    /// What a request is about, or why it can't be answered.
    enum Target {
        case conversation(Command.Conversation, peerName: [UInt8])
        case unknownGuest(AccountName)
        case refused(Outbound.Code, String)
    }

    /// Whom a request has named: most name the same account as the one before, and a look into the log and a hash for
    /// each message cost as much as the rest of the request.
    struct Peer {
        /// As requests name it.
        private var name: [UInt8]
        var conversation: Command.Conversation
        var escapedName: [UInt8]
        private var erasures: Int

        init(
            name: [UInt8],
            _ conversation: Command.Conversation,
            _ account: AccountName,
            _ directory: AccountDirectory
        ) {
            self.name = name
            self.conversation = conversation
            escapedName = AccountDirectory.escaped(account)
            erasures = directory.erasures
        }

        /// Whether `name` still stands for it: what an erasure does to a name, the log knows.
        func isNamed(_ name: [UInt8], _ directory: AccountDirectory) -> Bool {
            self.name == name && erasures == directory.erasures
        }
    }

    /// Does what `frame` asks for.
    func handle(_ frame: ClientFrame) {
        if case .room = kind, frame.type == nil, frame.msg != .missing || frame.roomId != nil {
            sendMessage(frame, frame.msg, "Msg", isEnvelope: false)
            return
        }
        if let type = frame.type, (5...10).contains(type), !cursor.wantsChanges {
            cursor.wantsChanges = true
            timeline = nil
        }
        switch frame.type {
        case 1: sendMessage(frame, frame.content, "content", isEnvelope: true)
        case 2, 3: query(frame)
        case 4:
            let unread = services.views.unread
            give(CountsAnswer(frame: frame, me: me, view: unread, directory: services.directory), from: unread.view)
        case 5: mark(frame)
        case 6: resume(frame)
        case 7: typing(frame)
        case 8: whoIsOnline(frame)
        case 9, 10: change(frame)
        case nil: refuse(frame, .badRequest, "field 'type' is missing: \(Self.types)")
        case let type?: refuse(frame, .badRequest, "type \(type) is unknown: \(Self.types)")
        }
    }

    private static let types =
        "1 sends, 2 is history, 3 unread messages, 4 unread counts, 5 marks read, 6 resumes, 7 is typing, "
        + "8 who is online, 9 edits, 10 deletes"

    private func sendMessage(_ frame: ClientFrame, _ content: ClientFrame.Content, _ field: String, isEnvelope: Bool) {
        switch content {
        case .missing, .null: send(frame, content: [], isEnvelope: isEnvelope)
        case .text(let bytes): send(frame, content: bytes, isEnvelope: isEnvelope)
        case .bool, .other: refuse(frame, .badRequest, "field '\(field)' must be a string")
        }
    }

    private func send(_ frame: ClientFrame, content: [UInt8], isEnvelope: Bool) {
        guard fits(content, of: frame) else { return }
        let conversation: Command.Conversation
        switch target(of: frame) {
        case .refused(let code, let text):
            refuse(frame, code, text)
            return
        case .unknownGuest(let name):
            admitGuest(name, then: frame)
            return
        case .conversation(let found, _): conversation = found
        }
        guard isWithinRate(frame) else { return }
        let message = Command.Message(
            conversation: conversation,
            payload: MessagePayload.encode(content: content, id: frame.id ?? []),
            idHash: frame.id.map { Identifier(hashingMessageID: $0.span, with: dispatcher.hasher) }
        )
        let wantsAck = isEnvelope || frame.id != nil || frame.ref != nil
        let sent = ReplyQueue.Sent(conversation: conversation, ref: frame.ref, id: frame.id, wantsAck: wantsAck)
        submit(.send(message), awaiting: .send(sent), for: frame)
    }

    /// Whether content is within its limit; refuses `frame` if it isn't.
    func fits(_ content: [UInt8], of frame: ClientFrame) -> Bool {
        let limit = services.settings.limits.contentBytes
        guard content.count > limit else { return true }
        refuse(frame, .tooLarge, "the content has \(content.count) bytes; \(limit) are allowed")
        return false
    }

    /// Whether this user may send or change one more message now; refuses `frame` if not.
    func isWithinRate(_ frame: ClientFrame) -> Bool {
        if services.rates.allows(me, now: .now()) { return true }
        let rate = services.settings.limits.messagesPerSecond
        refuse(frame, .refused, "too many messages: \(rate) a second are allowed")
        return false
    }

    private func mark(_ frame: ClientFrame) {
        switch target(of: frame) {
        case .refused(let code, let text): refuse(frame, code, text)
        case .unknownGuest(let name): admitGuest(name, then: frame)
        case .conversation(let conversation, _):
            submit(
                .markRead(conversation, upTo: frame.upto.map(Offset.init) ?? .max),
                awaiting: .mark(ref: frame.ref),
                for: frame
            )
        }
    }

    private func query(_ frame: ClientFrame) {
        let conversation: Command.Conversation
        let peerName: [UInt8]
        switch target(of: frame) {
        case .refused(let code, let text):
            refuse(frame, code, text)
            return
        case .unknownGuest:
            refuse(frame, .notFound, "no such user")
            return
        case .conversation(let found, let name): (conversation, peerName) = (found, name)
        }
        let request = MessagesAnswer.Request(
            frame: frame,
            conversation: conversation,
            myName: myName,
            peerName: peerName,
            unreadOnly: frame.type == 3
        )
        guard conversation.isRoom else { return answer(request) }
        let rooms = services.views.rooms
        whenProjected(max(told, position), rooms.view, frame) { session in
            var request = request
            // A newcomer has nothing unread from before.
            request.joined = ((try? rooms.joined(session.me, conversation.stream).value) ?? nil) ?? 0
            session.answer(request)
        }
    }

    private func answer(_ request: MessagesAnswer.Request) {
        let conversations = services.views.conversations
        let answer = MessagesAnswer(request, view: conversations, directory: services.directory)
        give(answer, from: conversations.view)
    }

    /// The conversation or room that a request is about: on a conversation socket its own, else what `to` or `room`
    /// says.
    func target(of frame: ClientFrame) -> Target {
        if case .conversation(let conversation) = kind { return .conversation(conversation, peerName: peerName) }
        if frame.to != nil, frame.room != nil {
            return .refused(.badRequest, "give either 'to' or 'room', not both")
        }
        if let room = frame.room ?? frame.roomId {
            // A room that one isn't in is as good as none, whatever its id.
            guard let id = RoomID(String(decoding: room, as: UTF8.self)) else {
                return .refused(.notFound, "no such room")
            }
            guard isMember(of: id) else { return .refused(.forbidden, "you are not a member of this room") }
            return .conversation(Command.Conversation(me: me, room: id), peerName: Array(id.uuidText.utf8))
        }
        guard let to = frame.to else { return .refused(.badRequest, "field 'to' (an account) or 'room' is missing") }
        if let peer, peer.isNamed(to, services.directory) {
            return .conversation(peer.conversation, peerName: peer.escapedName)
        }
        let text = String(decoding: to, as: UTF8.self)
        if let peer = services.directory.erasedAccount(labelled: text) {
            // What was said to each other can still be read.
            let name = services.directory.escapedName(of: peer)
            return .conversation(Command.Conversation(me: me, peer: peer), peerName: name)
        }
        let name: AccountName
        do throws(AccountName.Invalid) {
            name = try AccountName(text)
        } catch {
            return .refused(.notFound, "no such user: \(error)")
        }
        do {
            if let peer = try services.broker.log.accountID(named: name) {
                services.directory.insert(name, for: peer)
                let found = Peer(name: to, Command.Conversation(me: me, peer: peer), name, services.directory)
                self.peer = found
                return .conversation(found.conversation, peerName: found.escapedName)
            }
        } catch {
            return .refused(.notStored, Self.notStoredText)
        }
        return services.settings.auth.mode == .open ? .unknownGuest(name) : .refused(.notFound, "no such user")
    }

    /// Whether this socket's user is in `room`, as far as the socket knows; for a command the writer has the last word.
    private func isMember(of room: RoomID) -> Bool {
        // The cursor may be behind what was changed over HTTP, of which the client knows already, and the view behind
        // the cursor: whichever knows more.
        guard let answer = try? services.views.rooms.isMember(me, of: room), answer.asOf >= position else {
            return cursor.rooms.contains(room)
        }
        return answer.value
    }
}
