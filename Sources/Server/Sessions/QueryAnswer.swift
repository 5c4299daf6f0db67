import Broker
import NIOCore

/// The answer to a query, written a slice at a time so that a long one never holds up the loop or the memory.
protocol QueryAnswer {
    /// Appends the next frame or fragment to `bytes`.
    ///
    /// - Returns: Whether it was the last.
    mutating func writeSlice(to bytes: inout ByteBuffer) throws -> Bool

    /// What to mark as read once everything is written.
    var mark: Command? { get }
}
