import Cryptography

@testable import Broker

/// A tree of the leaves "leaf 0\n", "leaf 1\n" and so on, whose stored hashes are kept in memory.
struct SampleTree {
    private(set) var frontier = TreeFrontier()
    /// By level, then by index.
    private(set) var stored: [[Digest]] = []

    init(size: Int) {
        let hasher = SHA256()
        for index in 0..<size { append(MerkleTree.leafHash(of: Self.leaf(index).span, with: hasher), with: hasher) }
    }

    static func leaf(_ index: Int) -> [UInt8] { Array("leaf \(index)\n".utf8) }

    mutating func append(_ leafHash: Digest, with hasher: borrowing SHA256) {
        var added: [Digest] = []
        frontier.append(leafHash, with: hasher) { _, hash in added.append(hash) }
        for (level, hash) in added.enumerated() {
            if level == stored.count { stored.append([]) }
            stored[level].append(hash)
        }
    }

    func hash(of node: TreeNode) -> Digest { stored[node.level][Int(node.index)] }

    var leafHashes: [Digest] { stored.first ?? [] }

    /// The roots of this tree's first 0, 1, 2, … leaves.
    func roots() -> [Digest] {
        let hasher = SHA256()
        return (0...frontier.size).map { MerkleTree.root(size: $0, with: hasher, read: hash(of:)) }
    }
}

/// The definitions of RFC 9162, 2.1, word for word: recursive, slow, and nothing in common with the tree but SHA-256.
final class MerkleModel {
    private let leaves: [Digest]
    private var known: [Range<Int>: Digest] = [:]

    init(_ leaves: [Digest]) { self.leaves = leaves }

    /// MTH(D[n]) of these leaves.
    func head(_ range: Range<Int>) -> Digest {
        if let hash = known[range] { return hash }
        let hash: Digest
        switch range.count {
        case 0: hash = MerkleTree.emptyRoot
        case 1: hash = leaves[range.lowerBound]
        default:
            let (left, right) = split(range)
            hash = SHA256.hash(([1] + array(head(left)) + array(head(right))).span)
        }
        known[range] = hash
        return hash
    }

    /// PATH(m, D[n]).
    func path(to index: Int, in range: Range<Int>) -> [Digest] {
        guard range.count > 1 else { return [] }
        let (left, right) = split(range)
        return left.contains(index)
            ? path(to: index, in: left) + [head(right)] : path(to: index, in: right) + [head(left)]
    }

    /// PROOF(m, D[n]) for 0 < m < n.
    func proof(from old: Int, to new: Int) -> [Digest] { subproof(end: old, in: 0..<new, isWhole: true) }

    private func subproof(end: Int, in range: Range<Int>, isWhole: Bool) -> [Digest] {
        if end == range.upperBound { return isWhole ? [] : [head(range)] }
        let (left, right) = split(range)
        return end <= left.upperBound
            ? subproof(end: end, in: left, isWhole: isWhole) + [head(right)]
            : subproof(end: end, in: right, isWhole: false) + [head(left)]
    }

    private func split(_ range: Range<Int>) -> (Range<Int>, Range<Int>) {
        var half = 1
        while half * 2 < range.count { half *= 2 }
        let middle = range.lowerBound + half
        return (range.lowerBound..<middle, middle..<range.upperBound)
    }

    private func array(_ digest: Digest) -> [UInt8] {
        let bytes = digest.bytes
        return bytes.indices.map { bytes[$0] }
    }
}

/// The same bytes with one bit changed.
func flipping(_ bit: Int, of bytes: [UInt8]) -> [UInt8] {
    var changed = bytes
    changed[bit / 8] ^= 1 << UInt8(bit % 8)
    return changed
}

extension Digest {
    /// Another hash.
    func flipped(bit: Int = 0) -> Digest? {
        let bytes = bytes
        var changed = bytes.indices.map { bytes[$0] }
        changed[bit / 8] ^= 1 << UInt8(bit % 8)
        return Digest(changed.span)
    }
}
