package import Cryptography
internal import LMDB

/// The log's tree as it was at one moment, with the events of that moment.
///
/// A read transaction: don't keep it longer than some hundred proofs take, nor across a suspension. It remembers the
/// hashes that it has computed, so that the second proof costs a fraction of the first.
package struct TreeSnapshot: ~Copyable {
    let transaction: ReadTransaction
    let tables: TreeTables
    let events: Table
    let hasher = SHA256()
    /// How many events the tree covers: all that there are.
    package let size: UInt64
    private let computed = ComputedNodes()

    init(_ transaction: consuming ReadTransaction, _ tables: TreeTables, events: Table, size: UInt64) {
        self.transaction = transaction
        self.tables = tables
        self.events = events
        self.size = size
    }

    /// The head of the tree over all events.
    ///
    /// Computes up to 255 hashes for each level of tiles: less than a tenth of a millisecond for a log of millions.
    ///
    /// - Throws: ``TreeError``.
    package func head() throws -> TreeHead { try head(at: size) }

    /// The head that the tree had when there were `size` events.
    ///
    /// As dear as ``head()``.
    ///
    /// - Throws: ``TreeError``.
    package func head(at size: UInt64) throws -> TreeHead {
        guard size <= self.size else { throw TreeError.sizeBeyondHead(size: size, head: self.size) }
        return TreeHead(size: size, root: try MerkleTree.root(size: size, with: hasher) { try node($0) })
    }

    /// The hash of a node.
    ///
    /// Computes up to 127 hashes.
    ///
    /// - Throws: ``TreeError`` if it isn't complete in this tree, or not to be had from what is stored.
    package func node(_ node: TreeNode) throws -> Digest {
        guard 0..<63 ~= node.level, node.index < size >> node.level else {
            throw TreeError.sizeBeyondHead(size: (node.index &+ 1) << node.level, head: size)
        }
        if let hash = computed.hashes[node] { return hash }
        let hash = try tables.hash(of: node, in: transaction, with: hasher)
        // A leaf is the sibling of one other only.
        if node.level > 0 { computed.keep(hash, of: node) }
        return hash
    }
}

/// The hashes of nodes that were asked for.
private final class ComputedNodes {
    private(set) var hashes: [TreeNode: Digest] = [:]
    private static let limit = 8192

    func keep(_ hash: Digest, of node: TreeNode) {
        if hashes.count == Self.limit { hashes.removeAll(keepingCapacity: true) }
        hashes[node] = hash
    }
}
