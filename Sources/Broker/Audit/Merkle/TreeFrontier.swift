package import Cryptography

/// The right edge of a Merkle tree: all that is needed to append to it and to tell its root.
///
/// One hash for each complete subtree that a tree of this size falls into, 63 at most, greatest first; RFC 9162 calls
/// for no more. A value: a writer keeps one, and goes back to its copy when a batch fails.
///
/// ```swift
/// var frontier = TreeFrontier()
/// frontier.append(leafHash, with: hasher) { node, hash in pending.append((node, hash)) }
/// let head = frontier.root(with: hasher)
/// ```
package struct TreeFrontier: Hashable, Sendable {
    /// How many leaves the tree has.
    package private(set) var size: UInt64
    /// The roots of the complete subtrees, greatest (leftmost) first: as many as bits are set in ``size``.
    package private(set) var hashes: [Digest]

    /// The tree without leaves.
    package init() {
        size = 0
        hashes = []
    }

    /// Takes up a tree of `size` leaves whose hashes are stored.
    ///
    /// Reads one hash for each bit that is set in `size`.
    package init<Failure: Error>(
        size: UInt64,
        read: (TreeNode) throws(Failure) -> Digest
    ) throws(Failure) {
        precondition(size <= MerkleTree.maximumSize, "a tree over the limit")
        self.size = size
        hashes = []
        for node in Self.nodes(size: size) { hashes.append(try read(node)) }
    }

    /// Takes up a tree from what ``size`` and ``hashes`` were.
    ///
    /// - Returns: Nil if a tree of that size has another number of complete subtrees, or is over the limit.
    package init?(size: UInt64, hashes: [Digest]) {
        guard size <= MerkleTree.maximumSize, hashes.count == size.nonzeroBitCount else { return nil }
        self.size = size
        self.hashes = hashes
    }

    /// The complete subtrees that a tree of `size` leaves falls into, greatest first.
    package static func nodes(size: UInt64) -> [TreeNode] {
        var nodes: [TreeNode] = []
        nodes.reserveCapacity(size.nonzeroBitCount)
        var rest = size
        while rest > 0 {
            let level = UInt64.bitWidth - 1 - rest.leadingZeroBitCount
            rest -= 1 << level
            nodes.append(TreeNode(level: level, index: (size - rest) >> level - 1))
        }
        return nodes
    }

    /// Appends a leaf and hands out what is to be stored: the leaf, then every node that it completes, from level 1 up.
    ///
    /// At most 1 + log₂ n hashes, just under two on average, of which one fewer is computed.
    package mutating func append(
        _ leafHash: Digest,
        with hasher: borrowing SHA256,
        _ store: (TreeNode, Digest) -> Void
    ) {
        precondition(size < MerkleTree.maximumSize, "a tree over the limit")
        var node = TreeNode(level: 0, index: size)
        var hash = leafHash
        store(node, hash)
        while node.isRight {
            hash = MerkleTree.nodeHash(hashes.removeLast(), hash, with: hasher)
            node = node.parent
            store(node, hash)
        }
        hashes.append(hash)
        size += 1
    }

    /// The root of the tree.
    ///
    /// Computes one hash fewer than ``hashes`` has.
    package func root(with hasher: borrowing SHA256) -> Digest {
        guard var root = hashes.last else { return MerkleTree.emptyRoot }
        for hash in hashes.dropLast().reversed() { root = MerkleTree.nodeHash(hash, root, with: hasher) }
        return root
    }
}
