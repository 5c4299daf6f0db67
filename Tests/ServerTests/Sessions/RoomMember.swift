import Foundation
import NIOCore
import NIOPosix
import Synchronization

@testable import Server

/// A client in a room whose messages bear marks: checks that each comes once and in order, and sends some when it is
/// woken.
struct RoomMember: BenchClient {
    private(set) var tally: MessageTally
    private(set) var pongs: [String] = []
    private let messages: Int
    private let arrivals: Arrivals?
    private let sending: Sending?
    private var sent = 0

    /// What an author sends.
    struct Sending {
        var room: String
        /// So many messages each time that it is woken.
        var burst = 1
        var bytes = BenchMark.leastContentBytes
    }

    /// - Parameters:
    ///   - messages: Of the author; when all have come, it is done.
    ///   - arrivals: Told of each.
    init(messages: Int, arrivals: Arrivals? = nil, sending: Sending? = nil) {
        tally = MessageTally(senders: 1, each: messages)
        self.messages = messages
        self.arrivals = arrivals
        self.sending = sending
    }

    var isDone: Bool { tally.isComplete }

    mutating func wake(_ output: inout ByteBuffer) {
        guard let sending else { return }
        for _ in 0..<min(sending.burst, messages - sent) {
            let content = BenchMark(sender: 0, number: sent).content(bytes: sending.bytes)
            BenchFrame.append(.text, Self.request(String(decoding: content, as: UTF8.self), sending.room), to: &output)
            sent += 1
        }
    }

    mutating func receive(_ bytes: borrowing Span<UInt8>, _ output: inout ByteBuffer) throws {
        if let mark = BenchMark(in: bytes) {
            try tally.receive(mark)
            arrivals?.add()
        } else {
            let text = String(decoding: [UInt8](copying: bytes), as: UTF8.self)
            let isExpected = text.hasPrefix("{\"from\":\"Server\",") || text.contains(Self.sign)
            guard isExpected else { throw BenchFailure("unexpected: \(text)") }
            if text.contains(Self.sign) { arrivals?.addSign() }
        }
    }

    mutating func receivePong(_ payload: [UInt8]) { pongs.append(String(decoding: payload, as: UTF8.self)) }

    /// A message that is none of the author's, but a sign that what was sent before it has been read.
    static func sign(in room: String) -> ByteBuffer {
        var frame = ByteBuffer()
        BenchFrame.append(.text, request(sign, room), to: &frame)
        return frame
    }

    private static let sign = "a sign"

    private static func request(_ content: String, _ room: String) -> [UInt8] {
        Array("{\"type\":1,\"room\":\"\(room)\",\"content\":\"\(content)\"}".utf8)
    }
}

/// Counts what clients receive, and lets a test wait for it.
final class Arrivals: Sendable {
    private struct State {
        var messages = 0
        var signs = 0
        var due = 0
        var promise: EventLoopPromise<Void>?
        var sum: Int { messages + signs }
    }

    private let state = Mutex(State())

    var messages: Int { state.withLock { $0.messages } }

    func add() { count { $0.messages += 1 } }
    func addSign() { count { $0.signs += 1 } }

    private func count(_ change: (inout State) -> Void) {
        let reached = state.withLock { state -> EventLoopPromise<Void>? in
            change(&state)
            return state.sum >= state.due ? state.promise.take() : nil
        }
        reached?.succeed()
    }

    /// Returns when `sum` messages and signs have come.
    ///
    /// - Throws: ``BenchFailure`` after a minute.
    func reached(_ sum: Int) async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        let promise = loop.makePromise(of: Void.self)
        let timer = loop.scheduleTask(in: .seconds(60)) {
            promise.fail(BenchFailure("\(self.messages) of \(sum) messages came within a minute"))
        }
        defer { timer.cancel() }
        let isReached = state.withLock { state in
            guard state.sum < sum else { return true }
            (state.due, state.promise) = (sum, promise)
            return false
        }
        if isReached { promise.succeed() }
        try await promise.futureResult.get()
    }
}
