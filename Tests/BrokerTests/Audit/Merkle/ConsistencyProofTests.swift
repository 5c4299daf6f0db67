import Cryptography
import Testing

@testable import Broker

/// Every consistency proof between small trees, and anything but it.
@Suite struct ConsistencyProofTests {
    private static let tree = SampleTree(size: 300)
    private static let roots = tree.roots()

    @Test func `every pair of trees up to 300 leaves has the proof of the definition, and it verifies`() throws {
        let hasher = SHA256()
        let model = MerkleModel(Self.tree.leafHashes)
        var failures = 0
        for new in 1...300 {
            let mostHashes = 1 + (new - 1).bitWidth - (new - 1).leadingZeroBitCount
            for old in 1...new {
                var reads = 0
                let proof = try ConsistencyProof.prove(from: UInt64(old), to: UInt64(new), with: hasher) { node in
                    reads += 1
                    return Self.tree.hash(of: node)
                }
                try proof.verify(oldRoot: Self.roots[old], newRoot: Self.roots[new], with: hasher)
                let isRight =
                    proof.hashes == model.proof(from: old, to: new) && proof.hashes.count <= mostHashes
                    && reads <= 2 * mostHashes
                // One expectation for 45,150 proofs: each costs as much as the proof.
                if !isRight { failures += 1 }
            }
        }
        #expect(failures == 0)
    }

    @Test func `another root of either tree is refused`() throws {
        for new in 1...40 {
            for old in 1...new {
                let proof = try prove(old, new)
                for other in 0...40 {
                    if other != old { #expect(error(proof, Self.roots[other], Self.roots[new]) != nil) }
                    if other != new { #expect(error(proof, Self.roots[old], Self.roots[other]) != nil) }
                }
            }
        }
    }

    @Test func `a hash changed, left out or added is refused`() throws {
        for new in 2...70 {
            for old in Set([1, 2, new / 2, new - 1]) where 1..<new ~= old {
                let proof = try prove(old, new)
                let (oldRoot, newRoot) = (Self.roots[old], Self.roots[new])
                for place in proof.hashes.indices {
                    var other = proof
                    other.hashes[place] = try #require(proof.hashes[place].flipped(bit: (new * 7 + place) % 256))
                    let failure = error(other, oldRoot, newRoot)
                    #expect(failure == .oldRootMismatch || failure == .newRootMismatch)
                    other = proof
                    other.hashes.remove(at: place)
                    #expect(error(other, oldRoot, newRoot) == .tooFewHashes(proof.hashes.count - 1))
                }
                for place in 0...proof.hashes.count {
                    var other = proof
                    other.hashes.insert(newRoot, at: place)
                    #expect(error(other, oldRoot, newRoot) == .tooManyHashes(proof.hashes.count + 1))
                }
            }
        }
    }

    @Test func `a history that was rewritten has no proof`() throws {
        let hasher = SHA256()
        for changed in 0..<20 {
            var forged = SampleTree(size: 0)
            for index in 0..<33 {
                let leaf = index == changed ? Array("another".utf8) : SampleTree.leaf(index)
                forged.append(MerkleTree.leafHash(of: leaf.span, with: hasher), with: hasher)
            }
            for old in changed + 1...20 {
                let proof = try ConsistencyProof.prove(from: UInt64(old), to: 33, with: hasher, read: forged.hash(of:))
                let newRoot = forged.frontier.root(with: hasher)
                // The forger's tree continues the forger's past, not ours.
                #expect(error(proof, Self.roots[old], newRoot) != nil)
            }
        }
    }

    @Test func `the tree without leaves and the same tree need no hashes, and allow none`() throws {
        let (empty, root) = (MerkleTree.emptyRoot, Self.roots[9])
        for (old, new, oldRoot, newRoot) in [(0, 9, empty, root), (0, 0, empty, empty), (9, 9, root, root)] {
            var proof = try prove(old, new)
            #expect(proof.hashes == [])
            #expect(error(proof, oldRoot, newRoot) == nil)
            let wrong = try #require(oldRoot.flipped())
            #expect(error(proof, wrong, newRoot) != nil)
            proof.hashes = [root]
            #expect(error(proof, oldRoot, newRoot) == .tooManyHashes(1))
        }
        #expect(error(ConsistencyProof(oldSize: 9, newSize: 9, hashes: []), root, Self.roots[8]) == .newRootMismatch)
        #expect(error(ConsistencyProof(oldSize: 3, newSize: 9, hashes: []), root, root) == .tooFewHashes(0))
    }

    @Test(arguments: [
        (2, 1, ProofError.sizesReversed(old: 2, new: 1)),
        (.max, 5, .sizesReversed(old: .max, new: 5)),
        (1, 1 << 63, .sizeOutOfRange(1 << 63)),
        (.max, .max, .sizeOutOfRange(.max)),
    ])
    func `trees the wrong way round or too large have no proof`(old: UInt64, new: UInt64, expected: ProofError) {
        let proof = ConsistencyProof(oldSize: old, newSize: new, hashes: [])
        #expect(error(proof, MerkleTree.emptyRoot, MerkleTree.emptyRoot) == expected)
        #expect(throws: expected) {
            try ConsistencyProof.prove(from: old, to: new, with: SHA256(), read: Self.tree.hash(of:))
        }
    }

    @Test func `sizes at the limit are computed without overflow`() throws {
        let hash = MerkleTree.emptyRoot
        for old in [1, 2, MerkleTree.maximumSize / 2, 1 << 62, MerkleTree.maximumSize - 1] {
            let proof = try ConsistencyProof.prove(from: old, to: MerkleTree.maximumSize, with: SHA256()) { _ in hash }
            #expect(proof.hashes.count <= 64)
            let failure = error(proof, hash, hash)
            #expect(failure == .oldRootMismatch || failure == .newRootMismatch)
        }
    }

    private func prove(_ old: Int, _ new: Int) throws -> ConsistencyProof {
        try ConsistencyProof.prove(from: UInt64(old), to: UInt64(new), with: SHA256(), read: Self.tree.hash(of:))
    }

    private func error(
        _ proof: ConsistencyProof,
        _ oldRoot: Digest,
        _ newRoot: Digest
    ) -> ProofError? {
        do {
            try proof.verify(oldRoot: oldRoot, newRoot: newRoot, with: SHA256())
            return nil
        } catch {
            return error
        }
    }
}
