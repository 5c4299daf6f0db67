internal import Cryptography
internal import LMDB

/// What follows from hashes that stand one after the other, as in a tile.
enum TileHashes {
    /// The hash at `index`.
    ///
    /// Traps past the end.
    static func hash(at index: Int, in tile: Span<UInt8>) -> Digest {
        let bytes = tile.extracting(index * Digest.byteCount..<(index + 1) * Digest.byteCount)
        guard let hash = Digest(bytes) else { preconditionFailure("a hash has 32 bytes") }
        return hash
    }

    /// The hash of the node over the 2^`level` hashes from `first` on.
    ///
    /// Computes 2^`level` − 1. Traps past the end.
    static func node(level: Int, first: Int = 0, in tile: Span<UInt8>, with hasher: borrowing SHA256) -> Digest {
        guard level > 0 else { return hash(at: first, in: tile) }
        let left = node(level: level - 1, first: first, in: tile, with: hasher)
        let right = node(level: level - 1, first: first + 1 << (level - 1), in: tile, with: hasher)
        return MerkleTree.nodeHash(left, right, with: hasher)
    }
}

extension TreeTables {
    /// The hash of a node.
    ///
    /// Computes up to 127 hashes.
    ///
    /// - Throws: ``TreeError/hashesDamaged(level:_:)``.
    func hash(
        of node: TreeNode,
        in transaction: borrowing some Transaction & ~Copyable,
        with hasher: borrowing SHA256
    ) throws -> Digest {
        let (level, height) = node.level.quotientAndRemainder(dividingBy: TileCoordinate.height)
        let hashes = try hashes(level: level, node.index << height..<(node.index + 1) << height, in: transaction)
        return TileHashes.node(level: height, in: hashes.span, with: hasher)
    }
}
