import Broker
import NIOCore

/// Where a benchmark looks afterwards for what it has sent.
enum StoredMessages {
    /// Hands all marked messages of `log` after the event at `offset` to `body`, oldest first.
    static func read(_ log: EventLog, after offset: Offset = 0, _ body: (BenchMark, Offset) throws -> Void) throws {
        guard log.head > offset else { return }
        try log.forEach(in: offset + 1...log.head) { record in
            guard record.header.type == .messageSent else { return true }
            let content = MessagePayload.content(of: record.payload)
            var place = 0
            if let mark = BenchMark(in: content, near: &place) { try body(mark, record.offset) }
            return true
        }
    }

    /// Reads a conversation page by page, as any client would (type 2).
    ///
    /// - Parameters:
    ///   - reader: Who asks.
    ///   - subject: `"to":"<account>"` or `"room":"<id>"`.
    /// - Returns: The marked messages, oldest first.
    static func ask(
        _ address: BenchAddress,
        as reader: String,
        about subject: String
    ) async throws -> [(mark: BenchMark, offset: Offset)] {
        let opening = BenchOpening(client: HistoryReader(subject), name: reader, path: "/ws?account=\(reader)")
        let socket = try await BenchSocket.open([opening], at: address)[0]
        socket.wake()
        try await socket.done.get()
        socket.close()
        return try await socket.ended.get().messages.reversed()
    }
}

/// Asks for one page of a history after the other.
private struct HistoryReader: BenchClient {
    private let subject: String
    /// Newest first.
    private(set) var messages: [(mark: BenchMark, offset: Offset)] = []
    private(set) var isDone = false

    private static let pageRows = 1000
    private static let idKey = Array("\"ID\":".utf8)

    init(_ subject: String) { self.subject = subject }

    mutating func wake(_ output: inout ByteBuffer) {
        let before = messages.last.map { ",\"before\":\($0.offset)" } ?? ""
        let request = "{\"type\":2,\(subject),\"limit\":\(Self.pageRows),\"mark\":false\(before)}"
        BenchFrame.append(.text, Array(request.utf8), to: &output)
    }

    mutating func receive(_ text: borrowing Span<UInt8>, _ output: inout ByteBuffer) throws {
        let reply = BenchReply(text)
        switch reply.code {
        case Outbound.Code.end.rawValue: isDone = true
        case Outbound.Code.success.rawValue:
            var place = 0
            var rows = 0
            while let id = BenchReply.integer(after: Self.idKey, in: text, from: &place) {
                guard let found = BenchMark.next(in: text, from: place, stride: 0) else {
                    throw BenchFailure.unexpected(text)
                }
                messages.append((found.mark, Offset(id)))
                place = found.end
                rows += 1
            }
            // The greeting has no rows either, and is no answer.
            if rows == Self.pageRows { wake(&output) } else if rows > 0 { isDone = true }
        default: throw BenchFailure.unexpected(text)
        }
    }
}
