internal import Cryptography
internal import LMDB

/// Where the tree stands in the log's environment.
///
/// Stored are the hashes of every level of tiles, that is, each eighth level of the tree; those between follow from at
/// most 128 of them. Nothing else is: how many leaves there are says the last row of leaves, and the root follows.
struct TreeTables: Sendable {
    /// The number of the row → a ``TreeRow`` of leaves.
    ///
    /// A table of its own, because its rows are only ever appended.
    let leaves: Table
    /// The level, from 1, in the highest byte, then the number of the row → a ``TreeRow``.
    let nodes: Table

    /// Makes the tables, if they aren't there.
    init(making transaction: borrowing WriteTransaction) throws {
        leaves = try transaction.openTable("leaves", hasIntegerKeys: true)
        nodes = try transaction.openTable("nodes", hasIntegerKeys: true)
    }

    /// - Returns: Nil if they aren't there.
    init?(in transaction: borrowing ReadTransaction) throws {
        do throws(LMDBError) {
            leaves = try transaction.openTable("leaves", hasIntegerKeys: true)
            nodes = try transaction.openTable("nodes", hasIntegerKeys: true)
        } catch {
            guard error.isMissing else { throw error }
            return nil
        }
    }

    /// How many leaves the tree has.
    ///
    /// - Throws: ``TreeError/hashesDamaged(level:_:)``.
    func size(in transaction: borrowing some Transaction & ~Copyable) throws -> UInt64 {
        guard let last = try transaction.lastIntegerKey(in: leaves) else { return 0 }
        guard last < MerkleTree.maximumSize / UInt64(TreeRow.width),
            let row = try transaction.value(of: last, in: leaves), let hashes = TreeRow.decode(row)
        else { throw TreeError.hashesDamaged(level: 0, Self.offsets(level: 0, row: last)) }
        return last * UInt64(TreeRow.width) + UInt64(hashes.count / Digest.byteCount)
    }

    /// The hashes at `range` on a level of tiles, one after the other.
    ///
    /// - Throws: ``TreeError/hashesDamaged(level:_:)`` if one isn't there or is damaged.
    func hashes(
        level: Int,
        _ range: Range<UInt64>,
        in transaction: borrowing some Transaction & ~Copyable
    ) throws -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(range.count * Digest.byteCount)
        try forEachRow(level: level, range, in: transaction) { row, hashes in
            guard let hashes else { throw TreeError.hashesDamaged(level: level, Self.offsets(level: level, row: row)) }
            bytes.append(hashes)
        }
        return bytes
    }

    /// The hash at `index` on a level of tiles, nil if it isn't there or is damaged.
    func hash(level: Int, index: UInt64, in transaction: borrowing some Transaction & ~Copyable) throws -> Digest? {
        var hash: Digest?
        try forEachRow(level: level, index..<index + 1, in: transaction) { _, bytes in
            if let bytes { hash = Digest(bytes) }
        }
        return hash
    }

    /// Hands the hashes at `range` to `body`, row by row; nil for those of a row that is damaged or hasn't got them.
    func forEachRow(
        level: Int,
        _ range: Range<UInt64>,
        in transaction: borrowing some Transaction & ~Copyable,
        _ body: (_ row: UInt64, _ hashes: Span<UInt8>?) throws -> Void
    ) throws {
        guard !range.isEmpty else { return }
        let width = UInt64(TreeRow.width)
        let rows = Array(range.lowerBound / width...(range.upperBound - 1) / width)
        let table = level == 0 ? leaves : nodes
        let base = Self.key(level: level, row: 0)
        try transaction.forEachValue(of: level == 0 ? rows : rows.map { base | $0 }, in: table) { key, value in
            let row = key - base
            let first = max(range.lowerBound, row * width) - row * width
            let end = min(range.upperBound, (row + 1) * width) - row * width
            if let value, let hashes = TreeRow.decode(value), hashes.count >= Int(end) * Digest.byteCount {
                try body(row, hashes.extracting(Int(first) * Digest.byteCount..<Int(end) * Digest.byteCount))
            } else {
                try body(row, nil)
            }
            return true
        }
    }

    /// The index of the first hash of a level that is stored, at or after that at `index`, give or take a row.
    func next(level: Int, from index: UInt64, in transaction: borrowing ReadTransaction) throws -> UInt64? {
        let start = Self.key(level: level, row: index / UInt64(TreeRow.width))
        let table = level == 0 ? leaves : nodes
        guard let key = try transaction.firstIntegerKey(in: table, from: start) else { return nil }
        let row = key - Self.key(level: level, row: 0)
        return row < 1 << 56 ? row * UInt64(TreeRow.width) : nil
    }

    /// The key of a row; rows of leaves have their number.
    static func key(level: Int, row: UInt64) -> UInt64 { UInt64(level) << 56 | row }

    /// The events below the hashes of a row.
    static func offsets(level: Int, row: UInt64) -> ClosedRange<Offset> {
        let height = TileCoordinate.height * level
        // A damaged key may be anything.
        let first = min(row, (MerkleTree.maximumSize >> height) / UInt64(TreeRow.width)) * UInt64(TreeRow.width)
        return first << height + 1...(first + UInt64(TreeRow.width)) << height
    }
}
