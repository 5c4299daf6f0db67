package import Cryptography

/// A proof that a tree begins with all the leaves of an older one, in their places (RFC 9162, 2.1.4).
///
/// ```swift
/// let proof = try ConsistencyProof.prove(from: 100, to: 300, with: hasher, read: storedHash)
/// try proof.verify(oldRoot: lastQuarter, newRoot: today, with: hasher)
/// ```
///
/// The RFC leaves out two cases, which have no hashes: a tree continues itself, and every tree continues the one
/// without leaves. Their roots are compared all the same.
package struct ConsistencyProof: Hashable, Sendable {
    /// How many leaves the older tree has.
    package var oldSize: UInt64
    /// How many leaves the newer tree has.
    package var newSize: UInt64
    /// The hashes from which both roots follow, in the RFC's order: from the leaves up; at most 63.
    package var hashes: [Digest]

    package init(oldSize: UInt64, newSize: UInt64, hashes: [Digest]) {
        self.oldSize = oldSize
        self.newSize = newSize
        self.hashes = hashes
    }

    /// Proves that the tree of the first `newSize` leaves continues that of the first `oldSize`.
    ///
    /// At most 1 + ⌈log₂ `newSize`⌉ hashes. Reads at most twice as many, and computes fewer than that.
    ///
    /// - Throws: ``ProofError`` if the sizes are the wrong way round; what `read` throws.
    package static func prove(
        from oldSize: UInt64,
        to newSize: UInt64,
        with hasher: borrowing SHA256,
        read: (TreeNode) throws -> Digest
    ) throws -> ConsistencyProof {
        try check(oldSize: oldSize, newSize: newSize)
        var proof = ConsistencyProof(oldSize: oldSize, newSize: newSize, hashes: [])
        guard oldSize > 0 else { return proof }
        var subtree = 0..<newSize
        while subtree.upperBound != oldSize {
            let middle = subtree.lowerBound + MerkleTree.leftCount(of: subtree.upperBound - subtree.lowerBound)
            let left = subtree.lowerBound..<middle
            let right = middle..<subtree.upperBound
            proof.hashes.append(try MerkleTree.hash(of: oldSize <= middle ? right : left, with: hasher, read: read))
            subtree = oldSize <= middle ? left : right
        }
        // If the older tree is a complete subtree of the newer, the verifier knows its hash: it is the old root.
        if subtree.lowerBound > 0 {
            proof.hashes.append(try MerkleTree.hash(of: subtree, with: hasher, read: read))
        }
        proof.hashes.reverse()
        return proof
    }

    /// Verifies that the tree with the root `newRoot` continues the one with the root `oldRoot`.
    ///
    /// RFC 9162, 2.1.4.2. Computes at most two hashes for each of the proof's.
    ///
    /// - Throws: ``ProofError`` if it doesn't, or the proof has any other form.
    package func verify(oldRoot: Digest, newRoot: Digest, with hasher: borrowing SHA256) throws(ProofError) {
        try Self.check(oldSize: oldSize, newSize: newSize)
        if oldSize == 0 || oldSize == newSize {
            guard hashes.isEmpty else { throw .tooManyHashes(hashes.count) }
            guard oldSize > 0 || oldRoot == MerkleTree.emptyRoot else { throw .oldRootMismatch }
            guard oldSize < newSize || oldRoot == newRoot else { throw .newRootMismatch }
            return
        }
        // The greatest complete subtree at the old tree's right end, and the node of the new tree's end on its level.
        let level = oldSize.trailingZeroBitCount
        var node = (oldSize - 1) >> level
        var last = (newSize - 1) >> level
        let isSubtree = oldSize.nonzeroBitCount == 1
        guard let first = isSubtree ? oldRoot : hashes.first else { throw .tooFewHashes(0) }
        var old = first
        var new = first
        for hash in isSubtree ? hashes[...] : hashes.dropFirst() {
            guard last > 0 else { throw .tooManyHashes(hashes.count) }
            if node & 1 == 1 || node == last {
                old = MerkleTree.nodeHash(hash, old, with: hasher)
                new = MerkleTree.nodeHash(hash, new, with: hasher)
                while node & 1 == 0, node > 0 {
                    node >>= 1
                    last >>= 1
                }
            } else {
                new = MerkleTree.nodeHash(new, hash, with: hasher)
            }
            node >>= 1
            last >>= 1
        }
        guard last == 0 else { throw .tooFewHashes(hashes.count) }
        guard old == oldRoot else { throw .oldRootMismatch }
        guard new == newRoot else { throw .newRootMismatch }
    }

    private static func check(oldSize: UInt64, newSize: UInt64) throws(ProofError) {
        guard newSize <= MerkleTree.maximumSize else { throw .sizeOutOfRange(newSize) }
        guard oldSize <= newSize else { throw .sizesReversed(old: oldSize, new: newSize) }
    }
}
