import Broker
import NIOCore
import Projections

// Type 6 and `?after`: the cursor is moved, everything after it comes, and 50010 says when it is live.

extension Session {
    /// Moves the cursor to where a request asks for.
    func resume(_ frame: ClientFrame) {
        guard let after = frame.after else {
            refuse(frame, .badRequest, "field 'after' (the last offset that you have seen, or 0) is missing")
            return
        }
        let log = frame.log.map { String(decoding: $0, as: UTF8.self) }
        switch ResumePoint(after: Offset(after), log: log, in: services.broker.log) {
        case .refused(let refusal): reply(resumeRefusal(refusal, for: frame))
        case .valid(let offset):
            if case .conversation = kind {
                move(to: offset, rooms: nil, for: frame)
                return
            }
            let rooms = services.views.rooms
            whenProjected(max(told, offset), rooms.view, frame) { session in
                do {
                    session.move(to: offset, rooms: Set(try rooms.rooms(of: session.me, at: offset).value), for: frame)
                } catch {
                    session.refuse(frame, .notStored, Session.viewIsAwayText)
                }
            }
        }
    }

    private func move(to offset: Offset, rooms: Set<RoomID>?, for frame: ClientFrame) {
        guard context != nil, !isClosing else { return }
        guard !hasReplies else {
            // Something was asked for on this socket's behalf meanwhile; its answer comes first.
            inbox.putBack(frame)
            return
        }
        cursor.move(to: offset, rooms: rooms, .request(ref: frame.ref))
        mayDiffer = true
        scannedAnyway = 0
        timeline = nil
        catchUpSoon()
    }

    /// The end of a resume, to go out before anything live.
    func appendResumeEnd(at offset: Offset, to bytes: inout ByteBuffer) {
        guard let resume = cursor.takeResume() else { return }
        let json = Outbound.serverReply(.caughtUp, "已同步") { json in
            json.writeStaticString(",\"offset\":")
            json.writeDecimal(offset)
            json.writeLog(services.logText)
            if case .request(let ref) = resume { Self.writeReply(to: 6, ref: ref, &json) }
        }
        bytes.writeTextFrame(json)
    }

    /// Tells that a position isn't on this log.
    func resumeRefusal(_ refusal: ResumePoint.Refusal, for frame: ClientFrame?) -> ByteBuffer {
        Outbound.serverReply(.notFound, refusal.text) { json in
            json.writeStaticString(",\"offset\":")
            json.writeDecimal(refusal.lastShared)
            json.writeLog(services.logText)
            if let frame { Self.writeReply(to: 6, ref: frame.ref, &json) }
        }
    }
}

extension ByteBuffer {
    /// Appends `,"log":"…"`, given ``SessionServices/logText``.
    mutating func writeLog(_ logText: String) {
        writeStaticString(",\"log\":\"")
        writeString(logText)
        writeStaticString("\"")
    }
}
