import NIOCore

/// What a benchmark's client does with what it receives: a value, confined to its socket's event loop.
protocol BenchClient: Sendable {
    /// Whether it has sent and received all that it should.
    var isDone: Bool { get }
    /// When it wants to be woken next; nil if its own time has no part in it.
    var nextWake: NIODeadline? { get }
    /// Its connection is about to be opened.
    mutating func begin()
    /// It is time to send something: the benchmark begins, or ``nextWake`` has come. What is appended to `output` is
    /// sent.
    mutating func wake(_ output: inout ByteBuffer)
    /// A text has come. What is appended to `output` is sent with one write for each read.
    mutating func receive(_ text: borrowing Span<UInt8>, _ output: inout ByteBuffer) throws
    /// All that was read at once has been handed over.
    mutating func endRead()
    /// The answer to a ping has come.
    mutating func receivePong(_ payload: [UInt8])
}

extension BenchClient {
    var nextWake: NIODeadline? { nil }
    mutating func begin() {}
    mutating func wake(_ output: inout ByteBuffer) {}
    mutating func endRead() {}
    mutating func receivePong(_ payload: [UInt8]) {}
}

extension BenchFailure {
    /// A text that a benchmark's client has no place for.
    static func unexpected(_ text: borrowing Span<UInt8>) -> BenchFailure {
        BenchFailure("unexpected: \(String(decoding: [UInt8](copying: text).prefix(500), as: UTF8.self))")
    }
}
