import NIOCore
import Synchronization

/// Receives all messages of a room.
struct MessageSubscriber: BenchClient {
    private(set) var tally: MessageTally
    private let progress: MessageProgress
    /// When each message was due, if that is measured.
    private let pace: BenchPace?
    /// Nanoseconds from then until it came.
    private(set) var latencies = Histogram()
    private var markPlace = 0
    private var reported = 0

    init(_ tally: MessageTally, progress: MessageProgress, pace: BenchPace? = nil) {
        self.tally = tally
        self.progress = progress
        self.pace = pace
    }

    var isDone: Bool { tally.isComplete }

    mutating func receive(_ text: borrowing Span<UInt8>, _ output: inout ByteBuffer) throws {
        guard let mark = BenchMark(in: text, near: &markPlace) else { throw BenchFailure.unexpected(text) }
        try tally.receive(mark)
        if let pace { latencies.record(pace.nanoseconds(since: mark.number, sender: mark.sender)) }
    }

    mutating func endRead() {
        progress.deliveries.add(tally.count - reported, ordering: .relaxed)
        reported = tally.count
    }
}
