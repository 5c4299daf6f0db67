import Broker
import NIOCore

/// The answer to a query, written a slice at a time so that a long one never holds up the loop or the memory.
protocol QueryAnswer {
    /// What it answers.
    var frame: ClientFrame { get }

    /// Writes the next frame or fragment into `bytes`, which is empty.
    ///
    /// - Returns: Whether it was the last.
    mutating func writeSlice(to bytes: inout ByteBuffer) throws -> Bool

    /// Whether a fragment was written, after which nothing but the rest of the answer may come.
    var hasBegun: Bool { get }

    /// What to mark as read once everything is written.
    var mark: Command? { get }
}
