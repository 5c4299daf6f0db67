internal import Cryptography
internal import LMDB

/// The tree as the writer keeps it: its frontier, and of each level of tiles the hashes that don't fill a row yet.
///
/// A value. The writer grows a copy for each batch, and lets go of the old one when the commit is on disk.
struct LogTree: Sendable {
    private(set) var frontier = TreeFrontier()
    private var levels = [Level](repeating: Level(), count: TileCoordinate.maximumLevel + 1)

    /// The tree without leaves.
    init() {}

    /// Takes the tree up where it was stored.
    ///
    /// - Throws: ``TreeError`` if it can't be read.
    init(
        in transaction: borrowing some Transaction & ~Copyable,
        _ tables: TreeTables,
        with hasher: borrowing SHA256
    ) throws {
        let size = try tables.size(in: transaction)
        frontier = try TreeFrontier(size: size) { node in
            try tables.hash(of: node, in: transaction, with: hasher)
        }
        for level in levels.indices {
            let count = size >> (TileCoordinate.height * level)
            let first = count / UInt64(TreeRow.width) * UInt64(TreeRow.width)
            levels[level].firstRow = count / UInt64(TreeRow.width)
            levels[level].bytes = try tables.hashes(level: level, first..<count, in: transaction)
            levels[level].storedCount = Int(count - first)
        }
    }

    /// How many leaves there are.
    var size: UInt64 { frontier.size }

    mutating func append(_ leafHash: Digest, with hasher: borrowing SHA256) {
        Self.append(leafHash, to: &frontier, &levels, with: hasher)
    }

    // Both are parts of one value, which a closure could only change as a whole.
    private static func append(
        _ leafHash: Digest,
        to frontier: inout TreeFrontier,
        _ levels: inout [Level],
        with hasher: borrowing SHA256
    ) {
        frontier.append(leafHash, with: hasher) { node, hash in
            guard node.level.isMultiple(of: TileCoordinate.height) else { return }
            levels[node.level / TileCoordinate.height].bytes.append(hash.bytes.span)
        }
    }

    /// Stores what was appended since the tree was taken up or last stored.
    mutating func write(in transaction: inout WriteTransaction, _ tables: TreeTables) throws {
        var row: [UInt8] = []
        row.reserveCapacity(TreeRow.byteCount)
        for level in levels.indices {
            try levels[level].write(level: level, in: &transaction, tables, by: &row)
        }
    }

    /// The end of a level of tiles.
    private struct Level: Sendable {
        /// The number of the row that ``bytes`` begin with.
        var firstRow: UInt64 = 0
        /// The hashes of a row that isn't full, and those that have come since, one after the other.
        var bytes: [UInt8] = []
        /// How many of them are stored.
        var storedCount = 0

        mutating func write(
            level: Int,
            in transaction: inout WriteTransaction,
            _ tables: TreeTables,
            by row: inout [UInt8]
        ) throws {
            guard bytes.count > storedCount * Digest.byteCount else { return }
            let rowByteCount = TreeRow.width * Digest.byteCount
            var isNew = storedCount == 0
            var start = 0
            while start < bytes.count {
                let end = min(start + rowByteCount, bytes.count)
                TreeRow.encode(bytes.span.extracting(start..<end), into: &row)
                let key = TreeTables.key(level: level, row: firstRow + UInt64(start / rowByteCount))
                // What is put before the end of a table leaves pages half full.
                if level == 0 {
                    try transaction.put(row.span, for: key, in: tables.leaves, mode: isNew ? .append : .upsert)
                } else {
                    try transaction.put(row.span, for: key, in: tables.nodes)
                }
                isNew = true
                start = end
            }
            firstRow += UInt64(bytes.count / rowByteCount)
            bytes.removeFirst(bytes.count / rowByteCount * rowByteCount)
            storedCount = bytes.count / Digest.byteCount
        }
    }
}
