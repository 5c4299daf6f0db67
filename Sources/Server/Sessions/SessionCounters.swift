import Broker
import NIOCore

/// What sockets hold, and what waits for them, at one moment.
struct SessionCounters: Equatable, Sendable {
    /// Up to here every loop has handed out what is in the log.
    var handedOut = Offset.max
    var sockets = 0
    /// Those for which no live event is kept: they read on in the log when they can be written to.
    var lagging = 0
    /// Events that the one furthest behind hasn't been written.
    var greatestLag: UInt64 = 0
    /// Requests that wait to be handled, and replies that wait to be written or for the writer.
    var waitingRequests = 0
    var waitingReplies = 0
    /// Bytes written that the kernel hasn't taken yet.
    var bufferedBytes = 0
    var greatestBufferedBytes = 0

    mutating func add(_ other: SessionCounters) {
        handedOut = min(handedOut, other.handedOut)
        sockets += other.sockets
        lagging += other.lagging
        greatestLag = max(greatestLag, other.greatestLag)
        waitingRequests += other.waitingRequests
        waitingReplies += other.waitingReplies
        bufferedBytes += other.bufferedBytes
        greatestBufferedBytes = max(greatestBufferedBytes, other.greatestBufferedBytes)
    }
}

extension SessionCounters {
    /// Counts one socket, on its event loop.
    init(of session: Session) {
        sockets = 1
        lagging = session.cursor.isLagging ? 1 : 0
        greatestLag = session.dispatcher.position - min(session.position, session.dispatcher.position)
        waitingRequests = session.inbox.count
        waitingReplies = session.cursor.replies.count
        let options = session.context?.channel.syncOptions
        bufferedBytes = (try? options?.getOption(.bufferedWritableBytes)) ?? 0
        greatestBufferedBytes = bufferedBytes
    }
}
