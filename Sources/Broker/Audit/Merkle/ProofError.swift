/// Why a proof can't be made, or proves nothing.
package enum ProofError: Error, Hashable, CustomStringConvertible {
    /// More leaves than ``MerkleTree/maximumSize``.
    case sizeOutOfRange(UInt64)
    /// The leaf isn't in the tree.
    case indexBeyondSize(index: UInt64, size: UInt64)
    /// The older tree has more leaves than the newer.
    case sizesReversed(old: UInt64, new: UInt64)
    /// A proof for these sizes has more hashes.
    case tooFewHashes(Int)
    /// A proof for these sizes has fewer hashes.
    case tooManyHashes(Int)
    /// The hashes don't lead to the root: another leaf, another place, another tree.
    case rootMismatch
    /// The hashes don't lead to the root of the older tree.
    case oldRootMismatch
    /// The hashes don't lead to the root of the newer tree: it doesn't continue the older.
    case newRootMismatch

    package var description: String {
        switch self {
        case .sizeOutOfRange(let size): "a tree of \(size) leaves is larger than the limit of \(MerkleTree.maximumSize)"
        case .indexBeyondSize(let index, let size): "leaf \(index) is not in a tree of \(size) leaves"
        case .sizesReversed(let old, let new): "a tree of \(new) leaves can't continue one of \(old)"
        case .tooFewHashes(let count): "the proof has \(count) hashes, which is too few for these sizes"
        case .tooManyHashes(let count): "the proof has \(count) hashes, which is too many for these sizes"
        case .rootMismatch: "the proof doesn't lead to the root of the tree"
        case .oldRootMismatch: "the proof doesn't lead to the root of the older tree"
        case .newRootMismatch: "the proof doesn't lead to the root of the newer tree: it doesn't continue the older"
        }
    }
}
