import Cryptography
import Testing

@testable import Broker

/// The frontier against the definition of the tree, however it was come by.
@Suite struct TreeFrontierTests {
    private static let tree = SampleTree(size: 300)

    @Test func `it hands out the leaf, then the nodes that the leaf completes, each with its hash`() {
        let hasher = SHA256()
        let model = MerkleModel(Self.tree.leafHashes)
        var frontier = TreeFrontier()
        for (index, leafHash) in Self.tree.leafHashes.enumerated() {
            var stored: [(TreeNode, Digest)] = []
            frontier.append(leafHash, with: hasher) { stored.append(($0, $1)) }
            // One for every level on which the new size ends a complete subtree.
            #expect(stored.count == 1 + (index + 1).trailingZeroBitCount)
            for (level, (node, hash)) in stored.enumerated() {
                #expect(node.level == level)
                #expect(node.leaves.upperBound == index + 1)
                #expect(hash == model.head(Int(node.leaves.lowerBound)..<Int(node.leaves.upperBound)))
            }
        }
    }

    @Test func `what it hands out is what the stored hashes give`() {
        let hasher = SHA256()
        for (index, leafHash) in Self.tree.leafHashes.enumerated() {
            var reads = 0
            let hashes = MerkleTree.storedHashes(forAppending: leafHash, at: UInt64(index), with: hasher) { node in
                reads += 1
                return Self.tree.hash(of: node)
            }
            let expected = (0...(index + 1).trailingZeroBitCount)
                .map { Self.tree.hash(of: TreeNode(level: $0, index: UInt64(index) >> $0)) }
            #expect(hashes == expected)
            #expect(reads == hashes.count - 1)
        }
    }

    @Test func `at every size it has the root of the definition, and can be taken up again`() {
        let hasher = SHA256()
        let model = MerkleModel(Self.tree.leafHashes)
        var frontier = TreeFrontier()
        for size in 0...300 {
            let root = model.head(0..<size)
            #expect(frontier.root(with: hasher) == root)
            #expect(MerkleTree.root(size: UInt64(size), with: hasher, read: Self.tree.hash(of:)) == root)
            #expect(TreeFrontier(size: UInt64(size), read: Self.tree.hash(of:)) == frontier)
            #expect(TreeFrontier(size: frontier.size, hashes: frontier.hashes) == frontier)
            #expect(frontier.hashes.count == size.nonzeroBitCount)
            guard size < 300 else { break }
            frontier.append(Self.tree.leafHashes[size], with: hasher) { _, _ in }
        }
    }

    @Test func `a copy goes back to before a batch that failed`() {
        let hasher = SHA256()
        var frontier = SampleTree(size: 7).frontier
        let before = frontier
        for leafHash in Self.tree.leafHashes[7..<40] { frontier.append(leafHash, with: hasher) { _, _ in } }
        #expect(frontier != before)
        frontier = before
        #expect(frontier == SampleTree(size: 7).frontier)
    }

    @Test func `another number of hashes than the size needs is no frontier`() {
        let frontier = SampleTree(size: 11).frontier
        #expect(frontier.hashes.count == 3)
        #expect(TreeFrontier(size: 11, hashes: frontier.hashes.dropLast()) == nil)
        #expect(TreeFrontier(size: 11, hashes: frontier.hashes + [MerkleTree.emptyRoot]) == nil)
        #expect(TreeFrontier(size: 1, hashes: []) == nil)
        #expect(TreeFrontier(size: 0, hashes: [MerkleTree.emptyRoot]) == nil)
        let root = MerkleTree.emptyRoot
        #expect(TreeFrontier(size: MerkleTree.maximumSize, hashes: Array(repeating: root, count: 63)) != nil)
        #expect(TreeFrontier(size: MerkleTree.maximumSize + 1, hashes: [root]) == nil)
    }
}
