import Broker
import NIOCore
import Synchronization

/// Asks one query over and over, each when the one before is answered, and checks every answer.
struct QueryClient: BenchClient {
    /// What is asked.
    enum Query: Sendable, Equatable {
        /// The newest messages of the first peer (type 2).
        case history(rows: Int)
        /// How many unread messages there are of each peer (type 4).
        case unread

        var name: String {
            switch self {
            case .history(let rows): "history \(rows.grouped)"
            case .unread: "unread"
            }
        }
    }

    private let query: Query
    private let request: [UInt8]
    private let queries: Int
    /// What is stored: messages of each peer to the reader.
    private let stored: [Int]
    private let progress: QueryProgress
    private var answered = 0
    /// The first answer.
    private(set) var answer: [UInt8] = []
    private var askedAt: UInt64 = 0
    /// Nanoseconds from a question to its answer.
    private(set) var latencies = Histogram()

    private static let totalKey = Array("\"total_counts\":".utf8)
    private static let countKey = Array("\"unread_count\":".utf8)

    /// - Parameter peer: The name of the first peer.
    init(_ query: Query, of peer: String, queries: Int, stored: [Int], progress: QueryProgress) {
        self.query = query
        self.queries = queries
        self.stored = stored
        self.progress = progress
        request =
            switch query {
            case .history(let rows): Array("{\"type\":2,\"to\":\"\(peer)\",\"limit\":\(rows),\"mark\":false}".utf8)
            case .unread: Array("{\"type\":4}".utf8)
            }
    }

    var isDone: Bool { answered == queries }

    mutating func wake(_ output: inout ByteBuffer) {
        guard !isDone else { return }
        BenchFrame.append(.text, request, to: &output)
        askedAt = NIODeadline.now().uptimeNanoseconds
    }

    mutating func receive(_ text: borrowing Span<UInt8>, _ output: inout ByteBuffer) throws {
        // The greeting comes first, and nobody has asked for it.
        guard askedAt != 0, !isGreeting(text) else { return }
        latencies.record(NIODeadline.now().uptimeNanoseconds - askedAt)
        guard isRight(text) else { throw BenchFailure.unexpected(text) }
        if answered == 0 { answer = [UInt8](copying: text) }
        answered += 1
        progress.answers.add(1, ordering: .relaxed)
        wake(&output)
    }

    private func isGreeting(_ text: borrowing Span<UInt8>) -> Bool {
        var place = 0
        return answered == 0 && BenchReply.integer(after: Self.greetingKey, in: text, from: &place) != nil
    }

    private static let greetingKey = Array("\"content_bytes\":".utf8)

    private func isRight(_ text: borrowing Span<UInt8>) -> Bool {
        switch query {
        case .history(let rows): Self.isNewest(min(rows, stored[0]), of: stored[0], text)
        case .unread: hasCounts(text)
        }
    }

    /// Whether `text` has the newest `rows` of the first peer's messages, newest first, and no others.
    private static func isNewest(_ rows: Int, of count: Int, _ text: borrowing Span<UInt8>) -> Bool {
        var end = 0
        // Rows are of one length, mostly.
        var stride = 0
        for row in 0..<rows {
            guard let found = BenchMark.next(in: text, from: end, stride: stride),
                found.mark == BenchMark(sender: 0, number: count - 1 - row)
            else { return false }
            stride = found.place - end
            end = found.end
        }
        return BenchMark.next(in: text, from: end, stride: 0) == nil
    }

    private func hasCounts(_ text: borrowing Span<UInt8>) -> Bool {
        var place = 0
        guard BenchReply.integer(after: Self.totalKey, in: text, from: &place) == stored.reduce(0, +) else {
            return false
        }
        var counts: [Int] = []
        while let count = BenchReply.integer(after: Self.countKey, in: text, from: &place) { counts.append(count) }
        // Peers come by name, so in another order.
        return counts.sorted() == stored.filter { $0 > 0 }.sorted()
    }
}

/// How far a run is.
final class QueryProgress: Sendable {
    let answers = Atomic<Int>(0)

    var count: Int { answers.load(ordering: .relaxed) }
}
