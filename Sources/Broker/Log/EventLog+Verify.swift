internal import Cryptography
internal import LMDB

extension EventLog {
    /// How many tiles one snapshot is held for: some ten milliseconds.
    private static let verifyStep: UInt64 = 64

    /// Looks at every event and every hash: the records' checksums, that none is missing, that time never goes back,
    /// that each stream is numbered without gaps, that payloads can be decoded, that what an event refers to is there
    /// and of the right kind, that no payload was taken out without an event that says so, that names belong to those
    /// who claimed them, that the tree was made of these events, and that its hashes fit each other.
    ///
    /// What a hand with patience has changed everywhere at once it can't tell; that takes a head of the tree from
    /// before, against which to hold this one. A server may be appending meanwhile: verified is the log as it was at
    /// the beginning. Memory grows with the number of streams, some 50 bytes each (50 MB for a million), and with that
    /// of accounts, some 150 bytes each.
    /// LMDB trusts its file: where that may be damaged, ``verifyPages(in:faultLimit:progress:)`` comes first.
    ///
    /// - Parameters:
    ///   - start: Where to begin; the tile of 256 events that it lies in is looked at from its first. The events before
    ///     are taken as they are, and so is the first revision of each stream.
    ///   - faultLimit: How many faults are noted, at most.
    ///   - progress: Told now and then how many of how many events are done. What it throws ends it.
    /// - Throws: ``TreeError/incomplete(size:head:)`` if the log has no tree at all; `LMDBError`; what `progress`
    ///   throws.
    package func verifyTree(
        from start: Offset = 1,
        faultLimit: Int = 100,
        progress: (_ done: UInt64, _ total: UInt64) throws -> Void = { _, _ in }
    ) throws -> LogVerification {
        guard let treeTables else { throw TreeError.incomplete(size: 0, head: head) }
        let firstTile = (max(start, 1) - 1) / UInt64(TileCoordinate.fullWidth)
        let end = try environment.read { try LogEnd(in: $0, treeTables, events, before: firstTile) }
        guard end.treeSize > 0 || end.head == 0 else { throw TreeError.incomplete(size: 0, head: end.head) }
        var verifier = LogVerifier(isPart: firstTile > 0, milliseconds: end.milliseconds, faultLimit: faultLimit)
        var tile = firstTile
        while tile < end.tileCount {
            let stop = min(tile + Self.verifyStep, end.tileCount)
            try environment.read { transaction in
                while tile < stop {
                    tile = try verifyEvents(ofTile: tile, end, &verifier, in: transaction, treeTables)
                }
            }
            try progress(min(tile * UInt64(TileCoordinate.fullWidth), end.head), end.head)
        }
        try environment.read {
            try verifier.verifyWhole(after: end.head, in: $0, events: events, names: names)
        }
        if let offsets = end.strayLeaves { verifier.note(.hashesDamaged(level: 0, offsets)) }
        if end.treeSize > end.head { verifier.note(.missing(end.head + 1...end.treeSize)) }
        if end.treeSize < end.head { verifier.note(.uncovered(end.treeSize + 1...end.head)) }
        for level in 1...TileCoordinate.maximumLevel {
            try verifyTiles(
                ofLevel: level,
                from: firstTile >> (TileCoordinate.height * level),
                end,
                &verifier,
                treeTables
            )
        }
        return LogVerification(
            head: try treeHead(at: end, treeTables),
            offsets: min(firstTile * UInt64(TileCoordinate.fullWidth), end.head) + 1..<end.head + 1,
            faults: verifier.faults,
            moreFaults: verifier.moreFaults,
            isOfNewerVersion: verifier.isOfNewerVersion,
            streams: verifier.streams
        )
    }

    /// Looks at the events of a tile, and at their leaves; returns the next tile.
    private func verifyEvents(
        ofTile tile: UInt64,
        _ end: LogEnd,
        _ verifier: inout LogVerifier,
        in transaction: borrowing ReadTransaction,
        _ tables: TreeTables
    ) throws -> UInt64 {
        let width = UInt64(TileCoordinate.fullWidth)
        let first = tile * width
        let covered = first..<max(first, min(first + width, end.treeSize, end.head))
        let stored = try StoredTile(level: 0, covered, in: transaction, tables)
        if stored.isGone {
            // A stray event far behind the others must not be walked to step by step.
            let event = try transaction.firstIntegerKey(in: events, from: first + 1).map { ($0 - 1) / width }
            let leaf = try tables.next(level: 0, from: first, in: transaction).map { $0 / width }
            let next = min(event ?? end.tileCount, leaf ?? end.tileCount, end.tileCount)
            if next > tile {
                let last = min(next * width, end.head)
                verifier.note(.missing(first + 1...last))
                if first < end.treeSize {
                    verifier.note(.hashesDamaged(level: 0, first + 1...min(last, end.treeSize)))
                }
                return next
            }
        }
        try verifier.verifyEvents(first + 1...min(first + width, end.head), in: transaction, events)
        let isFull = covered.count == TileCoordinate.fullWidth
        verifier.verifyLeaves(stored, above: isFull ? try tables.hash(level: 1, index: tile, in: transaction) : nil)
        return tile + 1
    }

    /// Looks at the tiles of a level above the leaves, from index `first` on.
    private func verifyTiles(
        ofLevel level: Int,
        from first: UInt64,
        _ end: LogEnd,
        _ verifier: inout LogVerifier,
        _ tables: TreeTables
    ) throws {
        let width = UInt64(TileCoordinate.fullWidth)
        let count = min(end.treeSize, end.head) >> (TileCoordinate.height * level)
        var index = first
        while index * width < count {
            let stop = index + Self.verifyStep
            try environment.read { transaction in
                while index < stop, index * width < count {
                    let range = index * width..<min((index + 1) * width, count)
                    let stored = try StoredTile(level: level, range, in: transaction, tables)
                    let above = try tables.hash(level: level + 1, index: index, in: transaction)
                    verifier.verifyTile(stored, above: range.count == TileCoordinate.fullWidth ? above : nil)
                    index += 1
                    guard stored.isGone, index * width < count else { continue }
                    let next = min(try tables.next(level: level, from: index * width, in: transaction) ?? count, count)
                    guard next / width > index else { continue }
                    let height = TileCoordinate.height * level
                    verifier.note(.hashesDamaged(level: level, (index * width) << height + 1...next << height))
                    index = (next + width - 1) / width
                }
            }
        }
    }

    /// The head that the tree had when the verification began, nil if it isn't to be had.
    private func treeHead(at end: LogEnd, _ tables: TreeTables) throws -> TreeHead? {
        let hasher = SHA256()
        do {
            let root = try environment.read { transaction in
                try MerkleTree.root(size: end.treeSize, with: hasher) { node in
                    try tables.hash(of: node, in: transaction, with: hasher)
                }
            }
            return TreeHead(size: end.treeSize, root: root)
        } catch is TreeError {
            return nil
        }
    }
}

/// How the log and its tree end when a verification begins.
private struct LogEnd {
    let head: Offset
    /// How many events the tree covers, or should.
    let treeSize: UInt64
    /// Where the last row of leaves says it is, if it can't be read and isn't among those that are looked at.
    let strayLeaves: ClosedRange<Offset>?
    /// The time of the event before the first that is looked at.
    let milliseconds: UInt64

    init(
        in transaction: borrowing ReadTransaction,
        _ tables: TreeTables,
        _ events: Table,
        before firstTile: UInt64
    ) throws {
        // No tree has more, and none of the sums here overflows.
        head = min(try transaction.lastIntegerKey(in: events) ?? 0, MerkleTree.maximumSize)
        do {
            treeSize = try tables.size(in: transaction)
            strayLeaves = nil
        } catch TreeError.hashesDamaged(_, let offsets) {
            treeSize = head
            strayLeaves = offsets.lowerBound > head ? offsets : nil
        }
        let before = firstTile * UInt64(TileCoordinate.fullWidth)
        if let bytes = try transaction.value(of: before, in: events) {
            milliseconds = (try? Record(bytes, at: before))?.header.milliseconds ?? 0
        } else {
            milliseconds = 0
        }
    }

    /// How many tiles the events take.
    var tileCount: UInt64 {
        let (full, rest) = head.quotientAndRemainder(dividingBy: UInt64(TileCoordinate.fullWidth))
        return rest == 0 ? full : full + 1
    }
}
