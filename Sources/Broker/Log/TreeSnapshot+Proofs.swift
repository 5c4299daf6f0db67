internal import Cryptography
internal import LMDB

// What an auditor is given. Proofs, leaves and entries are held against each other on their way out, so that a damaged
// log is reported here and not by whoever checks them.
extension TreeSnapshot {
    /// Proves that the event at `offset` is in the tree of the first `size` events.
    ///
    /// - Throws: ``TreeError``; ``ProofError`` if `size` is less than `offset`, or `offset` is 0;
    ///   ``EventLog/Damaged`` if the event can't be read.
    package func inclusionProof(of offset: Offset, size: UInt64) throws -> InclusionProof {
        let root = try head(at: size).root
        guard offset > 0, offset <= size else { throw ProofError.indexBeyondSize(index: offset &- 1, size: size) }
        guard let bytes = try transaction.value(of: offset, in: events) else {
            throw EventLog.Damaged(offset: offset, reason: .missing)
        }
        let leaf = try EventLog.record(bytes, at: offset).leafHash(with: hasher)
        guard try leaf == node(TreeNode(level: 0, index: offset - 1)) else { throw TreeError.eventAltered(offset) }
        let proof = try InclusionProof.prove(index: offset - 1, size: size, with: hasher) { try node($0) }
        do {
            try proof.verify(leafHash: leaf, root: root, with: hasher)
        } catch {
            throw TreeError.hashesAltered
        }
        return proof
    }

    /// Proves that the tree of the first `newSize` events continues that of the first `oldSize`.
    ///
    /// - Throws: ``TreeError``; ``ProofError`` if the sizes are the wrong way round.
    package func consistencyProof(from oldSize: UInt64, to newSize: UInt64) throws -> ConsistencyProof {
        let new = try head(at: newSize).root
        let proof = try ConsistencyProof.prove(from: oldSize, to: newSize, with: hasher) { try node($0) }
        let old = try head(at: oldSize).root
        do {
            try proof.verify(oldRoot: old, newRoot: new, with: hasher)
        } catch {
            throw TreeError.hashesAltered
        }
        return proof
    }

    /// The tile of hashes at `coordinate`.
    ///
    /// - Returns: Nil if this tree has none, or fewer hashes there; nil for entries, which are no hashes.
    /// - Throws: ``TreeError/hashesDamaged(level:_:)``.
    package func tile(at coordinate: TileCoordinate) throws -> HashTile? {
        guard case .hashes(let level) = coordinate.content, coordinate.leaves.upperBound <= size else { return nil }
        let range = coordinate.first..<coordinate.first + UInt64(coordinate.width)
        let hashes = try tables.hashes(level: level, range, in: transaction)
        return HashTile(hashes.span, at: coordinate)
    }

    /// The entries at `coordinate`, as an entry bundle.
    ///
    /// - Returns: Nil if the log hasn't so many; nil for hashes, which are no entries.
    /// - Throws: ``TreeError/eventAltered(_:)`` if one isn't what the tree was made of; ``EventLog/Damaged``.
    package func entryBundle(at coordinate: TileCoordinate) throws -> [UInt8]? {
        guard coordinate.content == .entries, coordinate.leaves.upperBound <= size else { return nil }
        let leaves = try tables.hashes(level: 0, coordinate.leaves, in: transaction)
        var bundle: [UInt8] = []
        let offsets = Array(coordinate.leaves.lowerBound + 1...coordinate.leaves.upperBound)
        try transaction.forEachValue(of: offsets, in: events) { offset, bytes in
            guard let bytes else { throw EventLog.Damaged(offset: offset, reason: .missing) }
            let entry = try EventLog.record(bytes, at: offset).leafEntry(with: hasher)
            let stored = TileHashes.hash(at: Int(offset - offsets[0]), in: leaves.span)
            guard MerkleTree.leafHash(of: entry.span, with: hasher) == stored else {
                throw TreeError.eventAltered(offset)
            }
            EntryBundle.append(entry.span, to: &bundle)
            return true
        }
        return bundle
    }
}
