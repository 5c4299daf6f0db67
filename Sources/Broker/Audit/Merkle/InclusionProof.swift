package import Cryptography

/// A proof that a leaf is in a tree, at a certain place (RFC 9162, 2.1.3).
///
/// ```swift
/// let proof = try InclusionProof.prove(index: 7, size: 300, with: hasher, read: storedHash)
/// try proof.verify(leafHash: leaf, root: root, with: hasher)
/// ```
package struct InclusionProof: Hashable, Sendable {
    /// Which leaf, from 0.
    package var index: UInt64
    /// How many leaves the tree has.
    package var size: UInt64
    /// The hashes beside the way from the leaf to the root, the leaf's sibling first; at most 63.
    package var hashes: [Digest]

    package init(index: UInt64, size: UInt64, hashes: [Digest]) {
        self.index = index
        self.size = size
        self.hashes = hashes
    }

    /// Proves that leaf `index` is in the tree of the first `size` leaves.
    ///
    /// At most ⌈log₂ `size`⌉ hashes. Reads at most twice as many, and computes fewer than that.
    ///
    /// - Throws: ``ProofError`` if the tree has no such leaf; what `read` throws.
    package static func prove(
        index: UInt64,
        size: UInt64,
        with hasher: borrowing SHA256,
        read: (TreeNode) throws -> Digest
    ) throws -> InclusionProof {
        try check(index: index, size: size)
        var subtree = 0..<size
        var hashes: [Digest] = []
        while subtree.count > 1 {
            let middle = subtree.lowerBound + MerkleTree.leftCount(of: subtree.upperBound - subtree.lowerBound)
            let left = subtree.lowerBound..<middle
            let right = middle..<subtree.upperBound
            hashes.append(try MerkleTree.hash(of: index < middle ? right : left, with: hasher, read: read))
            subtree = index < middle ? left : right
        }
        return InclusionProof(index: index, size: size, hashes: hashes.reversed())
    }

    /// Verifies that the leaf with the hash `leafHash` is where the proof says, in the tree with the root `root`.
    ///
    /// RFC 9162, 2.1.3.2. Computes one hash for each of the proof's.
    ///
    /// - Throws: ``ProofError`` if it isn't, or the proof has any other form.
    package func verify(leafHash: Digest, root: Digest, with hasher: borrowing SHA256) throws(ProofError) {
        try Self.check(index: index, size: size)
        var node = index
        var last = size - 1
        var hash = leafHash
        for sibling in hashes {
            guard last > 0 else { throw .tooManyHashes(hashes.count) }
            if node & 1 == 1 || node == last {
                hash = MerkleTree.nodeHash(sibling, hash, with: hasher)
                // The last of its level has no sibling while it is a left half: it goes up as it is.
                while node & 1 == 0, node > 0 {
                    node >>= 1
                    last >>= 1
                }
            } else {
                hash = MerkleTree.nodeHash(hash, sibling, with: hasher)
            }
            node >>= 1
            last >>= 1
        }
        guard last == 0 else { throw .tooFewHashes(hashes.count) }
        guard hash == root else { throw .rootMismatch }
    }

    private static func check(index: UInt64, size: UInt64) throws(ProofError) {
        guard size <= MerkleTree.maximumSize else { throw .sizeOutOfRange(size) }
        guard index < size else { throw .indexBeyondSize(index: index, size: size) }
    }
}
