internal import Broker
internal import LMDB

/// Finds a message of a stream by offset.
///
/// Ordinals are dense and offsets grow with them, so halving finds it: one look-up per halving, 20 for a million
/// messages.
///
/// It works on every table whose keys are stream ‖ ordinal and whose values begin with the offset, little-endian.
enum OrdinalSearch {
    /// The least ordinal whose message is at or after `offset`; `count` + 1 if there is none.
    static func firstOrdinal(
        of stream: StreamID,
        atOrAfter offset: Offset,
        count: UInt64,
        in transaction: borrowing some Transaction & ~Copyable,
        _ table: Table
    ) throws -> UInt64 {
        var low: UInt64 = 1
        var high = count + 1
        while low < high {
            let middle = low + (high - low) / 2
            // A row that a batch hasn't written yet comes after all that are in the table.
            let found = try transaction.number(of: Key(stream, middle), in: table)
            if let found, found < offset { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
