import Cryptography
import Testing

@testable import Broker

/// Every inclusion proof of every small tree, and anything but it.
@Suite struct InclusionProofTests {
    private static let tree = SampleTree(size: 300)
    private static let roots = tree.roots()

    @Test func `every leaf of every tree up to 300 leaves has the proof of the definition, and it verifies`() throws {
        let hasher = SHA256()
        let model = MerkleModel(Self.tree.leafHashes)
        var failures = 0
        for size in 1...300 {
            let mostHashes = (size - 1).bitWidth - (size - 1).leadingZeroBitCount
            for index in 0..<size {
                var reads = 0
                let proof = try InclusionProof.prove(index: UInt64(index), size: UInt64(size), with: hasher) { node in
                    reads += 1
                    return Self.tree.hash(of: node)
                }
                try proof.verify(leafHash: Self.tree.leafHashes[index], root: Self.roots[size], with: hasher)
                let isRight =
                    proof.hashes == model.path(to: index, in: 0..<size) && proof.hashes.count <= mostHashes
                    && reads <= 2 * mostHashes
                // One expectation for 45,150 proofs: each costs as much as the proof.
                if !isRight { failures += 1 }
            }
        }
        #expect(failures == 0)
    }

    @Test func `another leaf, index or root is refused`() throws {
        for size in 1...40 {
            for index in 0..<size {
                let proof = try prove(index, size)
                let leaf = Self.tree.leafHashes[index]
                for other in 0..<size where other != index {
                    var moved = proof
                    moved.index = UInt64(other)
                    #expect(refuses(moved, leaf, Self.roots[size]), "leaf \(index) of \(size) at \(other)")
                    #expect(refuses(proof, Self.tree.leafHashes[other], Self.roots[size]))
                }
                for other in 0...40 where other != size { #expect(refuses(proof, leaf, Self.roots[other])) }
            }
        }
    }

    @Test func `a hash changed, left out, added or moved is refused`() throws {
        for size in 1...70 {
            for index in Set([0, 1, size / 2, size - 2, size - 1]) where 0..<size ~= index {
                let proof = try prove(index, size)
                let leaf = Self.tree.leafHashes[index]
                let root = Self.roots[size]
                for place in proof.hashes.indices {
                    var other = proof
                    other.hashes[place] = try #require(proof.hashes[place].flipped(bit: (size * 7 + place) % 256))
                    #expect(error(other, leaf, root) == .rootMismatch)
                    other = proof
                    other.hashes.remove(at: place)
                    #expect(error(other, leaf, root) == .tooFewHashes(proof.hashes.count - 1))
                }
                for place in 0...proof.hashes.count {
                    var other = proof
                    other.hashes.insert(proof.hashes.first ?? root, at: place)
                    #expect(error(other, leaf, root) == .tooManyHashes(proof.hashes.count + 1))
                }
                if proof.hashes.count > 1 {
                    var other = proof
                    other.hashes.reverse()
                    #expect(error(other, leaf, root) == .rootMismatch)
                }
            }
        }
    }

    @Test(arguments: [
        (0, 0, ProofError.indexBeyondSize(index: 0, size: 0)),
        (5, 5, .indexBeyondSize(index: 5, size: 5)),
        (.max, 5, .indexBeyondSize(index: .max, size: 5)),
        (0, 1 << 63, .sizeOutOfRange(1 << 63)),
        (.max, .max, .sizeOutOfRange(.max)),
    ])
    func `a leaf that isn't in the tree has no proof`(index: UInt64, size: UInt64, expected: ProofError) {
        let proof = InclusionProof(index: index, size: size, hashes: [])
        #expect(error(proof, MerkleTree.emptyRoot, MerkleTree.emptyRoot) == expected)
        #expect(throws: expected) {
            try InclusionProof.prove(index: index, size: size, with: SHA256(), read: Self.tree.hash(of:))
        }
    }

    @Test func `sizes at the limit are computed without overflow`() throws {
        let hash = MerkleTree.emptyRoot
        for index in [0, 1, MerkleTree.maximumSize / 2, MerkleTree.maximumSize - 1] {
            let proof = try InclusionProof.prove(index: index, size: MerkleTree.maximumSize, with: SHA256()) { _ in hash
            }
            #expect(proof.hashes.count <= 63)
            let failure = error(proof, hash, hash)
            #expect(failure == .rootMismatch)
        }
    }

    private func prove(_ index: Int, _ size: Int) throws -> InclusionProof {
        try InclusionProof.prove(index: UInt64(index), size: UInt64(size), with: SHA256(), read: Self.tree.hash(of:))
    }

    private func refuses(
        _ proof: InclusionProof,
        _ leaf: Digest,
        _ root: Digest
    ) -> Bool { error(proof, leaf, root) != nil }

    private func error(
        _ proof: InclusionProof,
        _ leaf: Digest,
        _ root: Digest
    ) -> ProofError? {
        do {
            try proof.verify(leafHash: leaf, root: root, with: SHA256())
            return nil
        } catch {
            return error
        }
    }
}
