internal import Cryptography
internal import LMDB

/// What the writer's thread keeps of the tree between two commits.
struct TreeWriter: ~Copyable {
    /// Nil until something is appended.
    var tree: LogTree?
    let hasher = SHA256()
    private var leaves = LeafHasher()

    init() {}

    /// `tree` with the leaves of `batch`.
    mutating func growing(_ tree: LogTree, by batch: EventBatch) throws -> LogTree {
        var grown = tree
        for index in batch.entries.indices {
            let leaf = try batch.withRecord(at: index) { leaves.hash($0, with: hasher) }
            grown.append(leaf, with: hasher)
        }
        return grown
    }

    /// Adds the leaf of a stored event to `tree`.
    mutating func append(_ record: borrowing Record, to tree: inout LogTree) {
        tree.append(leaves.hash(record, with: hasher), with: hasher)
    }
}
