/// A place in the Merkle tree that covers 2^level leaves, all of which are there: `index` such nodes of the level lie
/// to its left.
///
/// Its hash never changes, whatever is appended later: these are the hashes that are stored. The others, on the right
/// edge of a tree whose size is no power of two, are computed when they are wanted.
package struct TreeNode: Hashable, Sendable {
    /// 0 for a leaf, then one more for each doubling; at most 62.
    package var level: Int
    package var index: UInt64

    package init(level: Int, index: UInt64) {
        self.level = level
        self.index = index
    }

    /// The node one level up, of which this is the left or the right half.
    package var parent: TreeNode { TreeNode(level: level + 1, index: index >> 1) }

    /// The other half of the parent.
    package var sibling: TreeNode { TreeNode(level: level, index: index ^ 1) }

    /// Whether this is the right half of its parent, which is then complete.
    package var isRight: Bool { index & 1 == 1 }

    /// The indexes of the leaves below.
    package var leaves: Range<UInt64> { index << level..<(index + 1) << level }
}
