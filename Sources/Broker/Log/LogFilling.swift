internal import LMDB

/// Appends messages to a log that nobody else appends to, without asking whether they may be sent: for benchmarks,
/// which need millions of them beforehand.
///
/// What comes of it is a log like any other, tree and revisions included.
package struct LogFilling {
    private let log: EventLog
    private var batch: EventBatch
    private var revisions: [StreamID: UInt64] = [:]
    private var salts = SaltSource()
    private var milliseconds: UInt64

    /// Enough that a flush is shared by many, and little memory.
    private static let batchEvents = 32_768

    /// Goes on from the head of `log`.
    package init(_ log: EventLog) throws {
        self.log = log
        batch = EventBatch(first: log.head + 1)
        milliseconds = max(Broker.now(), log.lastMilliseconds)
        var found: [StreamID: UInt64] = [:]
        try log.read(after: 0) { record in
            found[record.header.stream] = record.header.revision
            return true
        }
        revisions = found
    }

    /// Appends a message.
    ///
    /// It is on disk after ``flush()``, or sooner.
    ///
    /// - Parameter payload: Made by ``MessagePayload/encode(content:id:)``; not empty.
    package mutating func append(_ conversation: Command.Conversation, payload: [UInt8]) throws {
        let revision = revisions[conversation.stream, default: 0] + 1
        revisions[conversation.stream] = revision
        let header = EventHeader(
            type: .messageSent,
            payloadClass: .content,
            milliseconds: milliseconds,
            actor: conversation.me,
            subject: conversation.subject,
            stream: conversation.stream,
            revision: revision
        )
        batch.append(header: header, salt: salts.next(), payload: payload.span)
        if batch.entries.count >= Self.batchEvents { try flush() }
    }

    /// Returns when all that was appended is on disk.
    package mutating func flush() throws {
        guard !batch.isEmpty else { return }
        try log.append(batch)
        batch = EventBatch(first: log.head + 1)
        milliseconds = max(Broker.now(), milliseconds)
    }
}
