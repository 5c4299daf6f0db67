import LMDB

@testable import Broker

extension EventLog {
    /// Appends messages from `sender` in one commit, and returns the offset of the last.
    @discardableResult
    func append(
        messages contents: [String],
        from sender: AccountID = Sample.id(1),
        milliseconds: UInt64 = 1
    ) throws -> Offset {
        var batch = EventBatch(first: head + 1)
        for (index, content) in contents.enumerated() {
            let payload = MessagePayload.encode(content: Array(content.utf8))
            let header = EventHeader(
                type: .messageSent,
                payloadClass: payload.isEmpty ? .empty : .content,
                milliseconds: milliseconds,
                actor: sender,
                subject: Sample.id(2),
                stream: .conversation(sender, Sample.id(2)),
                revision: head + 1 + UInt64(index)
            )
            batch.append(header: header, salt: (head, UInt64(index)), payload: payload.span)
        }
        try append(batch)
        return head
    }

    /// The offsets and contents of the messages after `offset`.
    func messages(after offset: Offset = 0, limit: Int = .max) throws -> [(offset: Offset, content: String)] {
        var messages: [(offset: Offset, content: String)] = []
        try read(after: offset, limit: limit) { record in
            messages.append((record.offset, String(decoding: MessagePayload.content(of: record.payload))))
            return true
        }
        return messages
    }
}
