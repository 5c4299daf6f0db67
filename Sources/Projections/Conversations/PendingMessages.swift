internal import Broker
internal import LMDB

/// The message rows of a batch, which are written in key order at its end.
struct PendingMessages {
    private struct Row {
        var stream: StreamID
        var ordinal: UInt64
        var offset: Offset
        var range: Range<Int>
    }

    // All rows in one run of bytes, by ascending offset: a row costs no allocation.
    private var bytes: [UInt8] = []
    private var rows: [Row] = []

    /// The offset of the first; nil if there are none.
    var firstOffset: Offset? { rows.first?.offset }

    /// Adds a row that `write` appends to the bytes it gets.
    mutating func append(_ stream: StreamID, _ ordinal: UInt64, offset: Offset, _ write: (inout [UInt8]) -> Void) {
        let start = bytes.count
        write(&bytes)
        rows.append(Row(stream: stream, ordinal: ordinal, offset: offset, range: start..<bytes.count))
    }

    /// Replaces the row of the message at `offset` by the one that `write` appends.
    ///
    /// - Parameter write: Gets the row's ordinal, its old bytes, and the bytes to append to; returns false to change
    ///   nothing.
    /// - Returns: Whether the message is here.
    mutating func replace(
        _ stream: StreamID,
        offset: Offset,
        _ write: (UInt64, [UInt8], inout [UInt8]) throws -> Bool
    ) rethrows -> Bool {
        var low = 0
        var high = rows.count
        while low < high {
            let middle = (low + high) / 2
            if rows[middle].offset < offset { low = middle + 1 } else { high = middle }
        }
        guard low < rows.count, rows[low].offset == offset, rows[low].stream == stream else { return false }
        let old = Array(bytes[rows[low].range])
        let start = bytes.count
        if try write(rows[low].ordinal, old, &bytes) { rows[low].range = start..<bytes.count }
        return true
    }

    /// Hands all rows to `put` in key order, and forgets them.
    mutating func flush(_ put: (borrowing Key, Span<UInt8>) throws -> Void) rethrows {
        rows.sort { $0.stream != $1.stream ? $0.stream < $1.stream : $0.ordinal < $1.ordinal }
        for row in rows { try put(Key(row.stream, row.ordinal), bytes.span.extracting(row.range)) }
        discard()
    }

    mutating func discard() {
        // The memory is used again: the worker's batches are bounded, and a rebuild ends.
        rows.removeAll(keepingCapacity: true)
        bytes.removeAll(keepingCapacity: true)
    }
}
