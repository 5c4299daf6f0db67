import DequeModule

/// Requests of one socket that wait for an answer before them, and how many bytes they came in.
struct Inbox {
    /// What a client's message came to.
    enum Request {
        case request(ClientFrame)
        case invalid(BadRequest)
    }

    /// Not a tuple: those are moved by their metadata, field by field.
    private struct Entry {
        var request: Request
        var bytes: Int
        /// Kept beside the frame, which is large to copy for a look.
        var type: Int?
    }

    private var entries: Deque<Entry> = []
    /// The bytes of the messages that wait.
    private(set) var bytes = 0

    var count: Int { entries.count }
    var isEmpty: Bool { entries.isEmpty }
    /// The type of the first request; nil if it has none.
    var firstType: Int? { entries.isEmpty ? nil : entries[0].type }

    mutating func append(_ frame: consuming ClientFrame, bytes: Int) {
        let type = frame.type
        entries.append(Entry(request: .request(frame), bytes: bytes, type: type))
        self.bytes += bytes
    }

    mutating func append(_ invalid: BadRequest, bytes: Int) {
        entries.append(Entry(request: .invalid(invalid), bytes: bytes, type: nil))
        self.bytes += bytes
    }

    /// Takes the first request; there must be one.
    mutating func removeFirst() -> Request {
        let entry = entries.removeFirst()
        bytes -= entry.bytes
        return entry.request
    }

    /// Puts a request back to be the next.
    mutating func putBack(_ frame: ClientFrame) {
        entries.prepend(Entry(request: .request(frame), bytes: 0, type: frame.type))
    }

    mutating func removeAll() {
        entries.removeAll()
        bytes = 0
    }
}
