import Broker
import DequeModule
import NIOCore

/// Replies of one socket in the order of its requests, and what of them has to wait: an answer to a command waits for
/// its receipt, and everything behind it for it.
///
/// A pure value.
struct ReplyQueue {
    /// What to do when the writer has answered.
    enum Awaited {
        /// A message was sent.
        case send(Sent)
        /// A mark was asked for by a request.
        case mark(ref: [UInt8]?)
        /// An own message is edited (type 9) or deleted (type 10).
        case change(type: Int, target: Offset, ref: [UInt8]?)
        /// A mark of our own, after an answer or a delivery: nobody hears of it.
        case silentMark
        /// A guest is let in before the request that names it goes on.
        case guest

        /// Whether the reply stands in the place of the event that it tells of.
        var standsForEvent: Bool {
            switch self {
            case .send, .change: true
            case .mark, .silentMark, .guest: false
            }
        }
    }

    /// What an ack repeats.
    struct Sent {
        var conversation: Command.Conversation
        var ref: [UInt8]?
        var id: [UInt8]?
        /// On a room socket the echo is the ack, unless it was asked for one.
        var wantsAck: Bool
    }

    private enum Entry {
        case awaiting(Awaited)
        case ready(ByteBuffer?, at: Offset)
    }

    private var entries: Deque<Entry> = []
    /// How many of the first entries are ready.
    private var readyCount = 0

    /// Entries, ready or not.
    var count: Int { entries.count }
    var isEmpty: Bool { entries.isEmpty }

    /// A command was submitted.
    mutating func await(_ awaited: Awaited) { entries.append(.awaiting(awaited)) }

    /// A reply that needs no receipt, behind all that were asked for before.
    mutating func append(_ reply: ByteBuffer) {
        let isNext = readyCount == entries.count
        entries.append(.ready(reply, at: 0))
        if isNext { readyCount += 1 }
    }

    /// The command that the next receipt belongs to: receipts come in the order of submission.
    func nextAwaited() -> Awaited? {
        for entry in entries.dropFirst(readyCount) {
            if case .awaiting(let awaited) = entry { return awaited }
        }
        return nil
    }

    /// Puts the reply to the next awaited command in its place.
    ///
    /// - Parameter offset: The event that it tells of; 0 for none.
    mutating func fulfil(_ reply: ByteBuffer?, at offset: Offset) {
        guard let index = entries[readyCount...].firstIndex(where: { if case .awaiting = $0 { true } else { false } })
        else { return }
        entries[index] = .ready(reply, at: offset)
        while readyCount < entries.count, case .ready = entries[readyCount] { readyCount += 1 }
    }

    /// Takes the next reply if it tells of nothing after `offset`.
    ///
    /// - Returns: Nil if there is none; a reply may have no bytes.
    mutating func popReady(upTo offset: Offset) -> ByteBuffer?? {
        guard readyCount > 0, case .ready(let reply, let at)? = entries.first, at <= offset else { return nil }
        entries.removeFirst()
        readyCount -= 1
        return .some(reply)
    }
}
