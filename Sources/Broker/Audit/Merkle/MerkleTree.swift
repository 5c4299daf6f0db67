package import Cryptography

/// The Merkle tree of RFC 9162, 2.1, over leaves that are only ever appended; SHA-256.
///
/// What reads stored hashes is handed in as a closure, which is asked only for nodes that are complete in a tree of the
/// size in question, one at a time.
package enum MerkleTree {
    /// The most leaves: other verifiers count them in signed 64-bit integers.
    package static let maximumSize = UInt64(Int64.max)

    /// The root of the tree without leaves: SHA-256 of nothing.
    package static let emptyRoot: Digest = {
        let nothing: [UInt8] = []
        return SHA256.hash(nothing.span)
    }()

    /// The hash of the leaf that holds `entry`: SHA-256(0x00 ‖ entry).
    package static func leafHash(of entry: Span<UInt8>, with hasher: borrowing SHA256) -> Digest {
        let prefix: InlineArray<1, UInt8> = [0]
        hasher.update(prefix.span)
        hasher.update(entry)
        return hasher.finalize()
    }

    /// The hash of the node over two others: SHA-256(0x01 ‖ left ‖ right).
    package static func nodeHash(_ left: Digest, _ right: Digest, with hasher: borrowing SHA256) -> Digest {
        hasher.hash(prefix: 1, left, right)
    }

    /// The root of the tree of the first `size` leaves.
    ///
    /// Reads at most 1 + log₂ `size` hashes, and computes one fewer.
    package static func root<Failure: Error>(
        size: UInt64,
        with hasher: borrowing SHA256,
        read: (TreeNode) throws(Failure) -> Digest
    ) throws(Failure) -> Digest {
        guard size > 0 else { return emptyRoot }
        return try hash(of: 0..<size, with: hasher, read: read)
    }

    /// The hashes that must be stored when leaf `index` is appended: its own, then those of the nodes that it
    /// completes, from level 1 up.
    ///
    /// At most 1 + log₂(`index` + 1) hashes, just under two on average. Reads one hash fewer than it returns.
    /// ``TreeFrontier`` does the same without reading any.
    package static func storedHashes<Failure: Error>(
        forAppending leafHash: Digest,
        at index: UInt64,
        with hasher: borrowing SHA256,
        read: (TreeNode) throws(Failure) -> Digest
    ) throws(Failure) -> [Digest] {
        var node = TreeNode(level: 0, index: index)
        var hash = leafHash
        var hashes = [hash]
        while node.isRight {
            hash = nodeHash(try read(node.sibling), hash, with: hasher)
            hashes.append(hash)
            node = node.parent
        }
        return hashes
    }

    /// The hash over `leaves`, which begin where a complete tree of at least that many may begin.
    ///
    /// Reads a hash for every bit that is set in the number of leaves, and computes one fewer.
    static func hash<Failure: Error>(
        of leaves: Range<UInt64>,
        with hasher: borrowing SHA256,
        read: (TreeNode) throws(Failure) -> Digest
    ) throws(Failure) -> Digest {
        precondition(!leaves.isEmpty, "no hash over no leaves")
        var end = leaves.upperBound
        var level = (end - leaves.lowerBound).trailingZeroBitCount
        var hash = try read(TreeNode(level: level, index: (end - 1) >> level))
        end -= 1 << level
        // From the smallest complete subtree, on the right, to the greatest.
        while end > leaves.lowerBound {
            level = (end - leaves.lowerBound).trailingZeroBitCount
            hash = nodeHash(try read(TreeNode(level: level, index: (end - 1) >> level)), hash, with: hasher)
            end -= 1 << level
        }
        return hash
    }

    /// How many of `count` leaves, 2 or more, are to the left of the root: the greatest power of two below `count`.
    static func leftCount(of count: UInt64) -> UInt64 { 1 << (UInt64.bitWidth - 1 - (count - 1).leadingZeroBitCount) }
}
