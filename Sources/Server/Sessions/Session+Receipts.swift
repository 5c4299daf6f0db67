import Broker
import NIOCore

// What is answered to commands, once the writer has decided.

extension Session {
    /// Answers that nothing was done.
    func refuse(_ frame: ClientFrame, _ code: Outbound.Code, _ text: String) {
        reply(Outbound.serverReply(code, text) { json in Self.writeReply(to: frame.type, ref: frame.ref, &json) })
    }

    static func writeReply(to type: Int?, ref: [UInt8]?, _ json: inout ByteBuffer) {
        if let type {
            json.writeStaticString(",\"reply\":")
            json.writeDecimal(type)
        }
        if let ref {
            json.writeStaticString(",\"ref\":")
            json.writeBytes(ref)
        }
    }

    /// The reply to a command, and the offset of the event that it tells of.
    func receiptReply(
        to awaited: ReplyQueue.Awaited,
        _ outcome: Outcome,
        _ batch: EventBatch
    ) -> (ReplyQueue.Reply?, at: Offset) {
        let stored: Offset = if case .stored(let last) = outcome { last } else { 0 }
        switch awaited {
        case .silentMark: return (nil, stored)
        case .guest:
            guard case .account(_, let offset) = outcome else { return (nil, 0) }
            return (nil, offset)
        case .send(let sent):
            switch outcome {
            case .stored(let last):
                return (sent.wantsAck ? .ack(ReplyQueue.Ack(sent: sent, offset: last)) : nil, last)
            case .duplicate(let first):
                // It has its place too: a client takes its position from it.
                let ack = ReplyQueue.Ack(sent: sent, offset: first, isDuplicate: true)
                return (sent.wantsAck ? .ack(ack) : nil, first)
            default: return (.json(refusalReply(outcome, type: 1, ref: sent.ref)), 0)
            }
        case .change(let type, let target, let ref):
            guard stored > 0 || outcome == .unchanged(target) else {
                return (.json(refusalReply(outcome, type: type, ref: ref)), 0)
            }
            return (.json(changeReply(type, target, at: stored, ref: ref)), stored)
        case .mark(let ref):
            let upTo: Offset
            switch outcome {
            case .stored(let last): upTo = batch.entries[Int(last - batch.first)].header.reference
            case .unchanged(let offset): upTo = offset
            default: return (.json(refusalReply(outcome, type: 5, ref: ref)), 0)
            }
            var json = ByteBuffer()
            json.writeStaticString("{\"from\":\"Server\",\"code\":50000,\"content\":")
            json.writeDecimal(upTo)
            Self.writeReply(to: 5, ref: ref, &json)
            json.writeStaticString("}")
            return (.json(json), stored)
        }
    }

    private func changeReply(_ type: Int, _ target: Offset, at offset: Offset, ref: [UInt8]?) -> ByteBuffer {
        var json = ByteBuffer()
        json.writeStaticString("{\"from\":\"Server\",\"code\":50000,\"content\":")
        json.writeDecimal(target)
        if offset > 0 {
            json.writeStaticString(",\"offset\":")
            json.writeDecimal(offset)
        }
        Self.writeReply(to: type, ref: ref, &json)
        json.writeStaticString("}")
        return json
    }

    private func refusalReply(_ outcome: Outcome, type: Int, ref: [UInt8]?) -> ByteBuffer {
        let code: Outbound.Code
        let text: String
        switch outcome {
        case .refused(.unanswered): (code, text) = (.refused, "发送信息过多对方已禁止你发送消息")
        case .refused(.notMember), .refused(.notAllowed):
            (code, text) = (.forbidden, "you are not a member of this room")
        case .refused(.notAuthor): (code, text) = (.forbidden, "only its author may change a message")
        case .refused(.noSuchMessage):
            (code, text) = (.notFound, "no such message in this conversation, or deleted or redacted")
        case .refused(.noSuchEvent): (code, text) = (.notFound, "no such event")
        case .refused(.notErasable): (code, text) = (.forbidden, "there is nothing to erase in this event")
        case .refused(.noSuchRoom): (code, text) = (.notFound, "no such room")
        case .refused(.noSuchAccount): (code, text) = (.notFound, "no such user")
        default: (code, text) = (.notStored, Self.notStoredText)
        }
        return Outbound.serverReply(code, text) { json in Self.writeReply(to: type, ref: ref, &json) }
    }
}
