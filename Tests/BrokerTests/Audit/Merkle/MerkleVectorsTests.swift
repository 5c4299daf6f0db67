import Cryptography
import Testing

@testable import Broker

/// The tree and its proofs against what Go's reference implementation computed.
@Suite struct MerkleVectorsTests {
    private let vectors: TlogVectors

    init() throws { vectors = try TlogVectors.load() }

    @Test func `leaves and nodes have the reference's hashes`() throws {
        let hasher = SHA256()
        let expected = vectors.hashing
        #expect(MerkleTree.emptyRoot.description == expected.emptyTreeRoot)
        #expect(SampleTree.leaf(0) == decode(hexadecimal: expected.leaf0DataHex))
        let first = MerkleTree.leafHash(of: SampleTree.leaf(0).span, with: hasher)
        let second = MerkleTree.leafHash(of: SampleTree.leaf(1).span, with: hasher)
        let empty = MerkleTree.leafHash(of: [UInt8]().span, with: hasher)
        let node = MerkleTree.nodeHash(first, second, with: hasher)
        #expect(first.description == expected.leaf0Hash)
        #expect(second.description == expected.leaf1Hash)
        #expect(empty.description == expected.leafHashOfEmptyString)
        #expect(node.description == expected.nodeHashLeaf0Leaf1)
    }

    @Test func `the tree of Certificate Transparency's reference has its roots`() {
        let hasher = SHA256()
        var frontier = TreeFrontier()
        var roots: [String] = []
        for leaf in vectors.ctReference.leavesHex {
            let leafHash = MerkleTree.leafHash(of: decode(hexadecimal: leaf).span, with: hasher)
            frontier.append(leafHash, with: hasher) { _, _ in }
            roots.append(frontier.root(with: hasher).description)
        }
        #expect(roots == vectors.ctReference.rootsSize1To8)
    }

    @Test func `every tree up to 300 leaves has its root`() {
        #expect(SampleTree(size: 300).roots().map(\.description) == vectors.roots0To300)
    }

    @Test func `large trees have their roots, from the frontier and from stored hashes`() throws {
        let hasher = SHA256()
        let tree = SampleTree(size: 70_000)
        #expect(vectors.rootsLarge.count == 12)
        for (size, root) in vectors.rootsLarge {
            let size = try #require(UInt64(size))
            let stored = MerkleTree.root(size: size, with: hasher, read: tree.hash(of:))
            let frontier = TreeFrontier(size: size, read: tree.hash(of:)).root(with: hasher)
            #expect(stored.description == root, "\(size) leaves")
            #expect(frontier.description == root, "\(size) leaves")
        }
        for vector in vectors.inclusionProofs {
            let proof = try InclusionProof.prove(
                index: vector.index,
                size: vector.size,
                with: hasher,
                read: tree.hash(of:)
            )
            #expect(proof.hashes.map(\.description) == vector.proof, "leaf \(vector.index) of \(vector.size)")
        }
        for vector in vectors.consistencyProofs {
            let proof = try ConsistencyProof.prove(
                from: vector.oldSize,
                to: vector.newSize,
                with: hasher,
                read: tree.hash(of:)
            )
            #expect(proof.hashes.map(\.description) == vector.proof, "\(vector.oldSize) to \(vector.newSize) leaves")
        }
        for vector in vectors.tiles {
            try expect(tree, toHave: vector)
        }
    }

    @Test func `the reference's inclusion proofs verify`() throws {
        let hasher = SHA256()
        #expect(vectors.inclusionProofs.count == 55)
        for vector in vectors.inclusionProofs {
            let hashes = try vector.proof.map { try #require(Digest(hexadecimal: $0)) }
            let leaf = try #require(Digest(hexadecimal: vector.leafHash))
            let root = try #require(Digest(hexadecimal: vector.root))
            try InclusionProof(index: vector.index, size: vector.size, hashes: hashes)
                .verify(leafHash: leaf, root: root, with: hasher)
        }
    }

    @Test func `the reference's consistency proofs verify`() throws {
        let hasher = SHA256()
        #expect(vectors.consistencyProofs.count == 52)
        for vector in vectors.consistencyProofs {
            let hashes = try vector.proof.map { try #require(Digest(hexadecimal: $0)) }
            let old = try #require(Digest(hexadecimal: vector.oldRoot))
            let new = try #require(Digest(hexadecimal: vector.newRoot))
            try ConsistencyProof(oldSize: vector.oldSize, newSize: vector.newSize, hashes: hashes)
                .verify(oldRoot: old, newRoot: new, with: hasher)
        }
    }

    /// Whether the tile of the reference is what the tree's stored hashes give, in bytes and under its path.
    private func expect(_ tree: SampleTree, toHave vector: TlogVectors.Tile) throws {
        let coordinate = try #require(
            TileCoordinate(.hashes(level: vector.level), index: vector.index, width: vector.width)
        )
        #expect(coordinate.path == vector.path)
        #expect(vector.goPath == "tile/8/" + vector.path.dropFirst("tile/".count))
        #expect(TileCoordinate.tiles(to: vector.treeSize).contains(coordinate), "\(vector.path) of \(vector.treeSize)")
        let tile = HashTile(at: coordinate, read: tree.hash(of:))
        let encoded = tile.encode()
        #expect(encoded.count == vector.bytes)
        #expect(SHA256.hash(encoded.span).description == vector.sha256)
        #expect(tile.hashes.first?.description == vector.firstHash)
        #expect(tile.hashes.last?.description == vector.lastHash)
        let again = HashTile(encoded.span, at: coordinate)
        #expect(again == tile)
    }
}
