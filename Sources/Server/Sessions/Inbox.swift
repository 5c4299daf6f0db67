import DequeModule

/// Requests of one socket that wait for an answer before them, and how many bytes they came in.
struct Inbox {
    /// What a client's message came to.
    enum Request {
        case request(ClientFrame)
        case invalid(BadRequest)
    }

    private var entries: Deque<(request: Request, bytes: Int)> = []
    /// The bytes of the messages that wait.
    private(set) var bytes = 0

    var count: Int { entries.count }
    var isEmpty: Bool { entries.isEmpty }
    var first: Request? { entries.first?.request }

    mutating func append(_ request: Request, bytes: Int) {
        entries.append((request, bytes))
        self.bytes += bytes
    }

    mutating func removeFirst() { bytes -= entries.removeFirst().bytes }

    /// Puts a request back to be the next.
    mutating func putBack(_ frame: ClientFrame) { entries.prepend((.request(frame), 0)) }

    mutating func removeAll() {
        entries.removeAll()
        bytes = 0
    }
}
