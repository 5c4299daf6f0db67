package import Cryptography

/// Why the log's tree can't be told, or isn't that of its events.
package enum TreeError: Error, Hashable, CustomStringConvertible {
    /// The tree doesn't cover all events: the log is from before it had one, or an older version has appended.
    case incomplete(size: UInt64, head: Offset)
    /// The tree covers more events than there are.
    case eventsMissing(head: Offset, size: UInt64)
    /// A tree of so many leaves was asked for, and there aren't so many events yet.
    case sizeBeyondHead(size: UInt64, head: Offset)
    /// These hashes, on a level of tiles, aren't to be read; they are over these events.
    case hashesDamaged(level: Int, ClosedRange<Offset>)
    /// The stored hashes can be read, but don't fit each other.
    case hashesAltered
    /// The event isn't the one that the tree was made of.
    case eventAltered(Offset)

    package var description: String {
        switch self {
        case .incomplete(let size, let head):
            "the log's tree covers \(size) of \(head) events: start the server once, which completes it"
        case .eventsMissing(let head, let size):
            "the log ends with event \(head), but its tree covers \(size): events are missing; restore a backup"
        case .sizeBeyondHead(let size, let head): "a tree of \(size) events can't be told: the log has \(head)"
        case .hashesDamaged(let level, let offsets):
            "the level-\(level) hashes over events \(offsets.lowerBound) to \(offsets.upperBound) are damaged: "
                + "verify the log, and restore a backup"
        case .hashesAltered: "the hashes of the log's tree don't fit each other: verify the log, and restore a backup"
        case .eventAltered(let offset):
            "event \(offset) is not the one that the log's tree was made of: it was changed afterwards"
        }
    }
}

/// The head of the log's tree: how many events it covers, and the one hash that they all lead to.
package struct TreeHead: Hashable, Sendable {
    package var size: UInt64
    package var root: Digest

    package init(size: UInt64, root: Digest) {
        self.size = size
        self.root = root
    }
}
