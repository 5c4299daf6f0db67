import Broker
import NIOCore

/// The answer to a query, written a slice at a time so that a long one never holds up the loop or the memory.
protocol Answer {
    /// Appends the next frame or fragment to `bytes`.
    ///
    /// - Returns: Whether it was the last.
    mutating func writeSlice(to bytes: inout ByteBuffer) throws -> Bool

    /// What to mark as read once everything is written.
    var mark: Command? { get }
}

/// What a query waits for: a view's checkpoint.
protocol ViewProgress: Sendable {
    associatedtype Token: WaitToken
    var projected: Offset { get }
    func whenProjected(_ offset: Offset, _ body: @escaping @Sendable () -> Void) -> Token
}

/// Something waited for that may be given up.
protocol WaitToken {
    func cancel()
}
