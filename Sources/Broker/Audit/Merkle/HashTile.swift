package import Cryptography
internal import LMDB

/// A tile of hashes: what a log publishes of its tree, and what proofs can be made from (C2SP tlog-tiles).
package struct HashTile: Hashable, Sendable {
    package let coordinate: TileCoordinate
    package let hashes: [Digest]

    /// Creates a tile from its hashes.
    ///
    /// - Returns: Nil if there aren't as many as the tile is wide.
    package init?(_ hashes: [Digest], at coordinate: TileCoordinate) {
        guard hashes.count == coordinate.width else { return nil }
        self.coordinate = coordinate
        self.hashes = hashes
    }

    /// Reads a tile's bytes: its hashes, one after the other.
    ///
    /// - Returns: Nil if there aren't 32 bytes for each hash that the tile is wide.
    package init?(_ bytes: Span<UInt8>, at coordinate: TileCoordinate) {
        guard bytes.count == coordinate.width * Digest.byteCount else { return nil }
        var hashes: [Digest] = []
        hashes.reserveCapacity(coordinate.width)
        for index in 0..<coordinate.width {
            let start = index * Digest.byteCount
            guard let hash = Digest(bytes.extracting(start..<start + Digest.byteCount)) else { return nil }
            hashes.append(hash)
        }
        self.init(hashes, at: coordinate)
    }

    /// Makes a tile from stored hashes.
    ///
    /// Reads as many as it is wide.
    package init<Failure: Error>(
        at coordinate: TileCoordinate,
        read: (TreeNode) throws(Failure) -> Digest
    ) throws(Failure) {
        var hashes: [Digest] = []
        hashes.reserveCapacity(coordinate.width)
        for node in coordinate.nodes { hashes.append(try read(node)) }
        self.coordinate = coordinate
        self.hashes = hashes
    }

    /// The tile's bytes: 32 for each hash.
    package func encode() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(hashes.count * Digest.byteCount)
        for hash in hashes { bytes.append(hash.bytes.span) }
        return bytes
    }

    /// The hash of a node that ``TileCoordinate/init(of:inTreeOf:)`` places here.
    ///
    /// Computes 2^(n mod 8) − 1 hashes for a node on level n: 127 at most.
    ///
    /// - Returns: Nil if it isn't to be had from this tile.
    package func hash(of node: TreeNode, with hasher: borrowing SHA256) -> Digest? {
        guard node.level / TileCoordinate.height == coordinate.level else { return nil }
        let level = node.level % TileCoordinate.height
        guard node.index >> (TileCoordinate.height - level) == coordinate.index else { return nil }
        let start = Int(node.index << level - coordinate.first)
        guard start + 1 << level <= hashes.count else { return nil }
        var row = Array(hashes[start..<start + 1 << level])
        while row.count > 1 {
            for index in 0..<row.count / 2 {
                row[index] = MerkleTree.nodeHash(row[2 * index], row[2 * index + 1], with: hasher)
            }
            row.removeLast(row.count / 2)
        }
        return row[0]
    }
}
