package import Broker
internal import LMDB

/// The offsets of the events that may concern one socket, in the order of the log, at a cost that goes by their number
/// and not by the log's length.
///
/// ```swift
/// var timeline = try Timeline(.everything(me), after: cursor, includesChanges: true, in: views)
/// try timeline.next(1024, into: &offsets)
/// try log.read(at: offsets) { record in … }
/// ```
///
/// It merges the indexes of the views: each conversation has its messages in a row, and so have its changes. The
/// merging state is all here; each call reads the views in a short transaction of its own, so that a slow socket holds
/// nothing, and a view may be rebuilt and switched between two calls: ordinals and offsets are the same in any rebuild.
package struct Timeline: Sendable {
    package enum Scope: Sendable {
        /// One direct conversation (a conversation socket).
        case conversation(StreamID)
        /// All rooms of an account (a room socket).
        case rooms(AccountID)
        /// Everything of an account: its direct conversations and rooms (a session socket).
        case everything(AccountID)
    }

    /// All events up to here are known to this timeline; what comes after is for the log.
    package let asOf: Offset

    private let conversations: ConversationsView
    private let after: Offset
    private let includesChanges: Bool
    /// The streams of which isn't known yet where they go on; the last ones are next.
    private var unopened: [OpenStream] = []
    /// What is still to come, one entry for each row of offsets.
    private var sources = MinimumHeap<TimelineSource>()

    private struct OpenStream {
        var stream: StreamID
        /// The last offset that may be wanted.
        var end: Offset
    }

    /// Collects the conversations and rooms of the scope, for what comes after `offset`.
    ///
    /// A room counts within the spans of membership only: what happened after joining and before leaving. The
    /// account's own joining and leaving are part of the timeline, because whoever follows it changes its rooms there.
    ///
    /// - Parameter includesChanges: Whether reads, edits and deletions are wanted besides messages and the account's
    ///   own changes of membership.
    /// - Throws: ``ViewUnavailable``, ``LMDBError``.
    package init(_ scope: Scope, after offset: Offset, includesChanges: Bool, in views: Views) throws {
        conversations = views.conversations
        after = offset
        self.includesChanges = includesChanges
        var spans: Answer<[RoomSpan]>?
        switch scope {
        case .conversation: break
        case .rooms(let account), .everything(let account): spans = try views.rooms.spans(of: account, after: offset)
        }
        var streams: [StreamID] = []
        let projected = try conversations.view.read { transaction, tables, projected in
            switch scope {
            case .conversation(let stream): streams = [stream]
            case .everything(let account):
                try StreamIndex(tables).forEachConversation(of: account, in: transaction) { streams.append($0) }
            case .rooms: break
            }
            return projected
        }
        asOf = min(projected, spans?.asOf ?? projected)
        guard offset < asOf else { return }
        for stream in streams { unopened.append(OpenStream(stream: stream, end: asOf)) }
        for span in spans?.value ?? [] where span.joined <= asOf {
            let hasLeft = span.left != 0 && span.left <= asOf
            if hasLeft { sources.insert(TimelineSource(leaving: span.room, at: span.left)) }
            let end = hasLeft ? span.left : asOf
            if span.joined > offset {
                // Opened when the timeline comes to it: of ten thousand rooms not all at once.
                sources.insert(TimelineSource(joining: span.room, at: span.joined, end: end))
            } else {
                unopened.append(OpenStream(stream: span.room, end: end))
            }
        }
    }

    /// Finds where `limit` conversations and rooms go on, so that the first call of ``next(_:into:)`` needn't do it for
    /// all of them at once.
    ///
    /// Each costs a look-up, and 1 + log2(messages) more if it has gone on; 5 µs in all for a busy one.
    ///
    /// - Returns: Whether all are found.
    /// - Throws: ``ViewUnavailable``, ``LMDBError``; the next call goes on where this one stopped.
    package mutating func prepare(_ limit: Int) throws -> Bool {
        guard !unopened.isEmpty, limit > 0 else { return unopened.isEmpty }
        try conversations.view.read { transaction, tables, _ in
            let index = StreamIndex(tables)
            var left = limit
            while left > 0, let next = unopened.last {
                try open(next.stream, after: after, upTo: next.end, index, in: transaction)
                unopened.removeLast()
                left -= 1
            }
        }
        return unopened.isEmpty
    }

    /// Appends the next offsets, ascending, at most `limit`; appends nothing when there are no more up to ``asOf``.
    ///
    /// One short read, after what ``prepare(_:)`` has left to do. If it throws, what has been appended is right, and
    /// the next call goes on after it.
    ///
    /// - Throws: ``ViewUnavailable``, ``LMDBError``.
    package mutating func next(_ limit: Int, into offsets: inout [Offset]) throws {
        _ = try prepare(.max)
        guard limit > 0, !sources.isEmpty else { return }
        let end = limit > .max - offsets.count ? .max : offsets.count + limit
        try conversations.view.read { transaction, tables, _ in
            let index = StreamIndex(tables)
            while offsets.count < end, let source = sources.first {
                switch source.kind {
                case .messages, .changes:
                    // A run from one source costs a single search.
                    let bound = sources.second?.offset ?? .max
                    let next = try index.run(of: source, before: bound, upTo: end, in: transaction, into: &offsets)
                    sources.replaceFirst(with: next)
                case .joining:
                    try open(source.stream, after: source.offset, upTo: source.end, index, in: transaction)
                    offsets.append(source.offset)
                    // What was opened comes later: the first is still this one.
                    sources.replaceFirst(with: nil)
                case .leaving:
                    offsets.append(source.offset)
                    sources.replaceFirst(with: nil)
                }
            }
        }
    }

    private mutating func open(
        _ stream: StreamID,
        after offset: Offset,
        upTo end: Offset,
        _ index: StreamIndex,
        in transaction: borrowing ReadTransaction
    ) throws {
        let opened = try index.sources(
            of: stream,
            after: offset,
            upTo: end,
            includesChanges: includesChanges,
            in: transaction
        )
        for source in opened { sources.insert(source) }
    }
}
