internal import Broker
internal import LMDB

/// The message rows of a batch, which are written in key order at its end.
struct PendingMessages {
    private struct Row {
        var ordinal: UInt64
        var offset: Offset
        /// Where the stream is in the batch's cache.
        var stream: UInt32
        var chunk: UInt32
        var start: UInt32
        var count: UInt32
    }

    // All rows by ascending offset, their bytes in few large runs: a row costs no allocation, and what is there isn't
    // moved for want of room.
    private var rows: [Row] = []
    private var chunks: [[UInt8]] = []
    /// The chunks in use; those after them are empty.
    private var used = 0
    /// What those in use have room for.
    private var usedBytes = 0

    /// Chunks that are kept for the next batch.
    private static let keptChunks = 8
    private static let chunkBytes = 1 << 20
    /// Those that come after: a batch of so many is a rebuild's.
    private static let largeChunkBytes = 32 << 20

    private static func bytes(ofChunk index: Int) -> Int { index < keptChunks ? chunkBytes : largeChunkBytes }

    /// The offset of the first; nil if there are none.
    var firstOffset: Offset? { rows.first?.offset }

    /// How much memory the rows take, nearly, with what ordering them takes.
    var heldBytes: Int {
        usedBytes + rows.count * (MemoryLayout<Row>.stride + MemoryLayout<UInt32>.stride)
    }

    /// Adds a row of the stream at `stream` that `write` appends to the bytes it gets.
    mutating func append(_ stream: Int, _ ordinal: UInt64, offset: Offset, _ write: (inout [UInt8]) -> Void) {
        let place = addBytes(write)
        rows.appendInLargePages(
            Row(
                ordinal: ordinal,
                offset: offset,
                stream: UInt32(stream),
                chunk: place.chunk,
                start: place.start,
                count: place.count
            )
        )
    }

    /// Replaces the row of the message at `offset` by the one that `write` appends.
    ///
    /// - Parameter write: Gets the row's ordinal, its old bytes, and the bytes to append to; returns false to change
    ///   nothing.
    /// - Returns: Whether the message is here.
    mutating func replace(
        _ stream: Int,
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
        let row = rows[low]
        let old = Array(chunks[Int(row.chunk)][Int(row.start)..<Int(row.start + row.count)])
        var isChanged = false
        let place = try addBytes { isChanged = try write(row.ordinal, old, &$0) }
        if isChanged { (rows[low].chunk, rows[low].start, rows[low].count) = place }
        return true
    }

    /// Hands all rows to `put` in key order.
    ///
    /// - Parameters:
    ///   - streams: The batch's cache, which says whose they are.
    ///   - put: Also told whether a run of many rows of a stream begins.
    func forEach<Value>(
        in streams: BatchCache<StreamID, Value>,
        _ put: (borrowing Key, Span<UInt8>, _ beginsRun: Bool) throws -> Void
    ) rethrows {
        let order = streams.order(rows, by: { $0.stream })
        var runs = RunFinder()
        for (place, index) in order.enumerated() {
            let row = rows[Int(index)]
            let beginsRun = runs.beginsRun(at: place, order) { rows[Int($0)].stream }
            let chunk = chunks[Int(row.chunk)]
            let range = Int(row.start)..<Int(row.start + row.count)
            try put(Key(streams.key(at: Int(row.stream)), row.ordinal), chunk.span.extracting(range), beginsRun)
        }
    }

    mutating func discard() {
        rows.removeAll(keepingCapacity: true)
        if chunks.count > Self.keptChunks { chunks.removeSubrange(Self.keptChunks...) }
        for index in chunks.indices { chunks[index].removeAll(keepingCapacity: true) }
        used = 0
        usedBytes = 0
    }

    private mutating func addBytes(
        _ write: (inout [UInt8]) throws -> Void
    ) rethrows -> (chunk: UInt32, start: UInt32, count: UInt32) {
        if used == 0 || chunks[used - 1].count >= Self.bytes(ofChunk: used - 1) - Self.usualRowBytes {
            let bytes = Self.bytes(ofChunk: used)
            if used == chunks.count {
                chunks.append(used < Self.keptChunks ? [] : [UInt8](largePagesWithCapacity: bytes))
                chunks[used].reserveCapacity(bytes)
            }
            used += 1
            usedBytes += bytes
        }
        let start = chunks[used - 1].count
        try write(&chunks[used - 1])
        return (UInt32(used - 1), UInt32(start), UInt32(chunks[used - 1].count - start))
    }

    /// A chunk with less room than this is full: nearly no row then makes one grow, which would copy it.
    private static let usualRowBytes = 4096
}
