import NIOCore
import Synchronization

/// Opens a socket, is greeted, and does nothing but answer when it is asked whether it is still there.
struct IdleClient: BenchClient {
    private let progress: ConnectionProgress
    private(set) var isDone = false

    init(progress: ConnectionProgress) { self.progress = progress }

    mutating func receive(_ text: borrowing Span<UInt8>, _ output: inout ByteBuffer) throws {
        guard !isDone, BenchReply(text).code == 50000 else { throw BenchFailure.unexpected(text) }
        isDone = true
        progress.greeted.add(1, ordering: .relaxed)
    }

    mutating func wake(_ output: inout ByteBuffer) { BenchFrame.append(.ping, [], to: &output) }

    mutating func receivePong(_ payload: [UInt8]) { progress.pongs.add(1, ordering: .relaxed) }
}

/// How many connections are there.
final class ConnectionProgress: Sendable {
    let greeted = Atomic<Int>(0)
    let pongs = Atomic<Int>(0)

    var greetedCount: Int { greeted.load(ordering: .relaxed) }
    var pongCount: Int { pongs.load(ordering: .relaxed) }
}
