import NIOCore
import Synchronization

/// Makes accounts before they connect, so that what is measured is connecting: in mode `open` a name that a mark is
/// about (type 5) becomes a guest.
struct AdmittingClient: BenchClient {
    private let names: [String]
    private var asked = 0
    private var answered = 0
    private let progress: MessageProgress

    private static let inFlight = 256

    init(_ names: [String], progress: MessageProgress) {
        self.names = names
        self.progress = progress
    }

    var isDone: Bool { answered == names.count }

    mutating func wake(_ output: inout ByteBuffer) {
        while asked < min(names.count, answered + Self.inFlight) {
            BenchFrame.append(.text, Array("{\"type\":5,\"to\":\"\(names[asked])\"}".utf8), to: &output)
            asked += 1
        }
    }

    mutating func receive(_ text: borrowing Span<UInt8>, _ output: inout ByteBuffer) throws {
        guard BenchReply(text).code == 50000 else { throw BenchFailure.unexpected(text) }
        var place = 0
        // Replies name what they reply to; the greeting doesn't.
        guard BenchReply.integer(after: Self.replyKey, in: text, from: &place) == 5 else { return }
        answered += 1
        progress.acks.add(1, ordering: .relaxed)
        wake(&output)
    }

    private static let replyKey = Array("\"reply\":".utf8)
}
