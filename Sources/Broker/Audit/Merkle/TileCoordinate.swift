/// Which tile of a log: 256 neighbouring hashes of the tree, or entries of the log (C2SP tlog-tiles).
///
/// A tile of hashes on level L holds hashes of the nodes on the tree's level 8 · L; the seven levels between follow
/// from them. The rightmost tile of a level is partial: it holds as many as there are.
package struct TileCoordinate: Hashable, Sendable {
    /// What a tile holds.
    package enum Content: Hashable, Sendable {
        /// Hashes; on level 0 those of the leaves, above it those over whole tiles of the level below.
        case hashes(level: Int)
        /// The entries themselves: an entry bundle.
        case entries
    }

    /// How many hashes or entries a whole tile has.
    package static let fullWidth = 256
    /// How many levels of the tree a tile stands for.
    package static let height = 8
    /// The highest level that a tree within ``MerkleTree/maximumSize`` has; the format knows 64.
    package static let maximumLevel = 7

    package let content: Content
    /// Which tile of its level, from 0.
    package let index: UInt64
    /// How many hashes or entries it holds, 1 to ``fullWidth``.
    package let width: Int

    /// Creates the coordinate of a tile that some tree has.
    ///
    /// - Returns: Nil if none within the limit does.
    package init?(_ content: Content, index: UInt64, width: Int = fullWidth) {
        self.content = content
        self.index = index
        self.width = width
        guard 0...Self.maximumLevel ~= level, 1...Self.fullWidth ~= width else { return nil }
        let most = MerkleTree.maximumSize >> (Self.height * level)
        guard index <= most / UInt64(Self.fullWidth), first + UInt64(width) <= most else { return nil }
    }

    /// The tile that holds the hash of `node`, or the nodes on the tile's level from which it follows, in the form that
    /// it has in the tree of the first `size` leaves.
    ///
    /// - Returns: Nil if `node` isn't complete in that tree.
    package init?(of node: TreeNode, inTreeOf size: UInt64) {
        guard size <= MerkleTree.maximumSize, 0..<63 ~= node.level, node.index < size >> node.level else { return nil }
        let level = node.level / Self.height
        let index = node.index >> (Self.height * (level + 1) - node.level)
        guard let width = Self.width(ofTile: index, level: level, inTreeOf: size) else { return nil }
        self.init(.hashes(level: level), index: index, width: width)
    }

    /// The level; that of entries is 0, like that of their hashes.
    package var level: Int {
        switch content {
        case .hashes(let level): level
        case .entries: 0
        }
    }

    package var isPartial: Bool { width < Self.fullWidth }

    /// The index of the first hash on its level of tiles, or of the first entry.
    package var first: UInt64 { index * UInt64(Self.fullWidth) }

    /// The nodes of the tree whose hashes it holds, in their order.
    package var nodes: some Sequence<TreeNode> {
        (first..<first + UInt64(width)).lazy.map { TreeNode(level: Self.height * level, index: $0) }
    }

    /// The indexes of the leaves that it stands for.
    package var leaves: Range<UInt64> {
        first << (Self.height * level)..<(first + UInt64(width)) << (Self.height * level)
    }

    /// How many hashes that tile has in a tree of `size` leaves.
    ///
    /// - Returns: Nil if none.
    package static func width(ofTile index: UInt64, level: Int, inTreeOf size: UInt64) -> Int? {
        let count = size >> (height * level)
        guard index <= count / UInt64(fullWidth) else { return nil }
        let rest = count - index * UInt64(fullWidth)
        return rest > 0 ? Int(min(rest, UInt64(fullWidth))) : nil
    }

    /// The tiles of hashes that are new or wider in a tree of `size` leaves than in one of `oldSize`, level by
    /// level from 0, each from the left; from 0 leaves, all that it has.
    package static func tiles(from oldSize: UInt64 = 0, to size: UInt64) -> [TileCoordinate] {
        (0...maximumLevel).flatMap { level in
            tiles(.hashes(level: level), from: oldSize >> (height * level), to: size >> (height * level))
        }
    }

    /// The entry bundles that are new or wider in a log of `size` entries than they were in one of `oldSize`.
    package static func entryBundles(from oldSize: UInt64 = 0, to size: UInt64) -> [TileCoordinate] {
        tiles(.entries, from: oldSize, to: size)
    }

    /// The tiles of one level, which had `oldCount` hashes and has `count`.
    private static func tiles(_ content: Content, from oldCount: UInt64, to count: UInt64) -> [TileCoordinate] {
        guard count > oldCount else { return [] }
        let full = UInt64(fullWidth)
        return (oldCount / full...(count - 1) / full).compactMap { index in
            TileCoordinate(content, index: index, width: Int(min(full, count - index * full)))
        }
    }
}
