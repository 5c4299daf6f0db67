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

    /// The ack of a message, which is written as JSON when its turn comes: a buffer of its own until then would cost
    /// more than writing it.
    struct Ack {
        var sent: Sent
        var offset: Offset
        /// Whether it was sent before, with the same id.
        var isDuplicate = false
    }

    /// What goes out.
    enum Reply {
        case json(ByteBuffer)
        case ack(Ack)
    }

    private enum Entry {
        case awaiting(Awaited)
        case ready(Reply?, at: Offset)
    }

    private var entries: Deque<Entry> = []
    /// How many of the first entries are ready.
    private(set) var readyCount = 0

    /// Entries, ready or not.
    var count: Int { entries.count }
    var isEmpty: Bool { entries.isEmpty }

    /// A command was submitted.
    mutating func await(_ awaited: Awaited) { entries.append(.awaiting(awaited)) }

    /// A reply that needs no receipt, behind all that were asked for before.
    mutating func append(_ reply: Reply) {
        let isNext = readyCount == entries.count
        entries.append(.ready(reply, at: 0))
        if isNext { readyCount += 1 }
    }

    /// The command that the next receipt belongs to: receipts come in the order of submission.
    func nextAwaited() -> Awaited? {
        // Behind the first that are ready is one that isn't, or none.
        guard readyCount < entries.count, case .awaiting(let awaited) = entries[readyCount] else { return nil }
        return awaited
    }

    /// Puts the reply to the next awaited command in its place.
    ///
    /// - Parameter offset: The event that it tells of; 0 for none.
    mutating func fulfil(_ reply: Reply?, at offset: Offset) {
        guard readyCount < entries.count else { return }
        entries[readyCount] = .ready(reply, at: offset)
        while readyCount < entries.count, case .ready = entries[readyCount] { readyCount += 1 }
    }

    /// Takes the next reply if it tells of nothing after `offset`.
    ///
    /// - Returns: Nil if there is none; a reply may have no bytes.
    mutating func popReady(upTo offset: Offset) -> Reply?? {
        guard readyCount > 0, case .ready(_, let at) = entries[0], at <= offset else { return nil }
        guard case .ready(let reply, _) = entries.removeFirst() else { return nil }
        readyCount -= 1
        return .some(reply)
    }
}
