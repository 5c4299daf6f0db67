import Broker
import NIOCore
import Synchronization

/// Comes back with the position that it had, and holds what it gets until it is told that it is at the head (50010)
/// against what it has missed.
struct ResumeClient: BenchClient {
    /// Whose messages it has missed: which, and where the log was when the last of them had been sent.
    struct Missed: Sendable {
        var sender: Int
        var numbers: Range<Int>
        var head: Offset
    }

    private let missed: Missed
    private let received: ResumeProgress
    private var next: Int
    private var markPlace = 0
    private var begun = NIODeadline.now()
    /// From the begin of its connecting until the head; nil until then.
    private(set) var microseconds: UInt64?

    private static let caughtUp = Array("{\"from\":\"Server\",\"code\":50010,".utf8)
    private static let greeting = Array("{\"from\":\"Server\",\"code\":50000,".utf8)

    init(_ missed: Missed, received: ResumeProgress) {
        self.missed = missed
        self.received = received
        next = missed.numbers.lowerBound
    }

    var isDone: Bool { microseconds != nil }

    mutating func begin() { begun = .now() }

    mutating func receive(_ text: borrowing Span<UInt8>, _ output: inout ByteBuffer) throws {
        if text.begins(with: Self.caughtUp) { return try catchUp(text) }
        guard let mark = BenchMark(in: text, near: &markPlace) else {
            if text.begins(with: Self.greeting) { return }
            throw BenchFailure.unexpected(text)
        }
        guard mark.sender == missed.sender else {
            throw BenchFailure("message \(mark.number) of sender \(mark.sender) came to whom it doesn't concern")
        }
        guard mark.number == next, mark.number < missed.numbers.upperBound else {
            let due = next < missed.numbers.upperBound ? "\(next)" : "none"
            let what = mark.number < next ? "came again or late" : "came while \(due) was due"
            throw BenchFailure("message \(mark.number) \(what)")
        }
        next += 1
        received.messages.add(1, ordering: .relaxed)
    }

    private mutating func catchUp(_ text: borrowing Span<UInt8>) throws {
        let offset = BenchReply(text).offset ?? 0
        guard next == missed.numbers.upperBound, offset >= missed.head, !isDone else {
            throw BenchFailure(
                "told that it has all up to \(offset) of \(missed.head), with \(next - missed.numbers.lowerBound) of "
                    + "\(missed.numbers.count) messages"
            )
        }
        microseconds = UInt64((NIODeadline.now() - begun).nanoseconds / 1000)
    }
}

/// How far a run is.
final class ResumeProgress: Sendable {
    let messages = Atomic<Int>(0)
}

extension Span<UInt8> {
    fileprivate borrowing func begins(with bytes: [UInt8]) -> Bool {
        guard count >= bytes.count else { return false }
        for index in bytes.indices where self[index] != bytes[index] { return false }
        return true
    }
}
