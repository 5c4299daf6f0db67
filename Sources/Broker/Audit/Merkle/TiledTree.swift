package import Cryptography

/// Why tiles are not those of a tree.
package enum TiledTreeError: Error, Hashable, CustomStringConvertible {
    /// The tiles at the right edge don't lead to the root.
    case rootMismatch
    /// The tile doesn't give the hash that the tile above it has for it.
    case tileMismatch(TileCoordinate)

    package var description: String {
        switch self {
        case .rootMismatch: "the tiles don't lead to the root of the tree"
        case .tileMismatch(let coordinate): "\(coordinate.path) doesn't fit the tile above it"
        }
    }
}

/// A tree of which only the tiles are at hand, and what follows from them.
///
/// Each tile is held against the one above it when it is read, and those at the right edge against the root: a hash
/// that this gives is one of the tree's. Neighbouring leaves share what was computed, so that a proof costs a few
/// hashes. Memory: two tiles of each level.
package final class TiledTree {
    package let head: TreeHead
    package let hasher = SHA256()
    private let read: (TileCoordinate) throws -> HashTile
    /// For each level the tile that was read last, and the one at the right edge, which all proofs need.
    private var last = [GrownTile?](repeating: nil, count: TileCoordinate.maximumLevel + 1)
    private var edge = [GrownTile?](repeating: nil, count: TileCoordinate.maximumLevel + 1)

    /// Looks whether the tiles at the right edge lead to the root.
    ///
    /// - Parameters:
    ///   - head: What the tiles are to be of.
    ///   - read: Gives the tile at a coordinate, which is always one that a tree of this size has.
    /// - Throws: ``TiledTreeError/rootMismatch``; what `read` throws.
    package init(_ head: TreeHead, read: @escaping (TileCoordinate) throws -> HashTile) throws {
        self.head = head
        self.read = read
        let root = try MerkleTree.root(size: head.size, with: hasher) { try hash(of: $0) }
        guard root == head.root else { throw TiledTreeError.rootMismatch }
    }

    /// The hash of a node that is complete in this tree.
    ///
    /// - Throws: ``TiledTreeError/tileMismatch(_:)``; what `read` throws.
    package func hash(of node: TreeNode) throws -> Digest {
        let level = node.level / TileCoordinate.height
        let inner = node.level % TileCoordinate.height
        let tile = try tile(node.index >> (TileCoordinate.height - inner), level: level)
        return tile.rows[inner][Int(node.index & (1 << (TileCoordinate.height - inner) - 1))]
    }

    /// Proves that leaf `index` is in this tree.
    ///
    /// - Throws: ``ProofError`` if there is none; as ``hash(of:)``.
    package func inclusionProof(of index: UInt64) throws -> InclusionProof {
        try InclusionProof.prove(index: index, size: head.size, with: hasher) { try hash(of: $0) }
    }

    private func tile(_ index: UInt64, level: Int) throws -> GrownTile {
        if let tile = last[level], tile.coordinate.index == index { return tile }
        if let tile = edge[level], tile.coordinate.index == index { return tile }
        guard let width = TileCoordinate.width(ofTile: index, level: level, inTreeOf: head.size),
            let coordinate = TileCoordinate(.hashes(level: level), index: index, width: width)
        else { preconditionFailure("a tile that no tree of this size has") }
        let tile = GrownTile(try read(coordinate), with: hasher)
        // The others are under the root, which is computed from them.
        if let root = tile.root, try hash(of: TreeNode(level: 8 * (level + 1), index: index)) != root {
            throw TiledTreeError.tileMismatch(coordinate)
        }
        let isEdge = index == (head.size >> (TileCoordinate.height * level) - 1) / UInt64(TileCoordinate.fullWidth)
        if isEdge { edge[level] = tile } else { last[level] = tile }
        return tile
    }
}

/// A tile with the hashes of the levels of the tree that it stands for.
private final class GrownTile {
    let coordinate: TileCoordinate
    /// Its own hashes, then those over two of them, over four, up to 256 if there are so many.
    let rows: [[Digest]]

    init(_ tile: HashTile, with hasher: borrowing SHA256) {
        coordinate = tile.coordinate
        var rows = [tile.hashes]
        while rows.count <= TileCoordinate.height {
            let below = rows[rows.count - 1]
            var row: [Digest] = []
            row.reserveCapacity(below.count / 2)
            for index in 0..<below.count / 2 {
                row.append(MerkleTree.nodeHash(below[2 * index], below[2 * index + 1], with: hasher))
            }
            rows.append(row)
        }
        self.rows = rows
    }

    /// The hash over a whole tile; nil for a partial one.
    var root: Digest? { rows[TileCoordinate.height].first }
}
