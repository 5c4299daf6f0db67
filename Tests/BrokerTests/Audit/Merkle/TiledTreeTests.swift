import Cryptography
import Testing

@testable import Broker

struct TiledTreeTests {
    /// The tiles of a tree, in which a test may change one.
    private struct Tiles {
        var tiles: [TileCoordinate: HashTile] = [:]
        var head: TreeHead

        init(_ sample: SampleTree) {
            let size = sample.frontier.size
            head = TreeHead(size: size, root: sample.frontier.root(with: SHA256()))
            for coordinate in TileCoordinate.tiles(to: size) {
                tiles[coordinate] = HashTile(at: coordinate) { sample.hash(of: $0) }
            }
        }

        func tree() throws -> TiledTree { try TiledTree(head) { try #require(tiles[$0]) } }

        /// Reads every leaf's hash, as whoever verifies a log does.
        func readAll() throws {
            let tree = try tree()
            for index in 0..<head.size { _ = try tree.hash(of: TreeNode(level: 0, index: index)) }
        }
    }

    @Test(arguments: Array(0...70) + [254, 255, 256, 257, 300, 511, 512, 513, 768])
    func `it gives the proofs that the stored hashes give`(size: Int) throws {
        let sample = SampleTree(size: size)
        let tree = try Tiles(sample).tree()
        for index in 0..<UInt64(size) {
            let expected = try InclusionProof.prove(index: index, size: UInt64(size), with: SHA256()) {
                sample.hash(of: $0)
            }
            #expect(try tree.inclusionProof(of: index) == expected)
        }
        #expect(throws: ProofError.self) { try tree.inclusionProof(of: UInt64(size)) }
    }

    @Test func `proofs of a tree of three levels are right in any order`() throws {
        let size = 65_536 + 256 + 7
        let sample = SampleTree(size: size)
        let tiles = Tiles(sample)
        let tree = try tiles.tree()
        var random = SplitMix(seed: 7)
        let indexes = [0, 255, 256, 65_535, 65_536, 65_791, 65_792, size - 1].map { UInt64($0) }
        for index in indexes + (0..<300).map({ _ in random.next() % UInt64(size) }) {
            let leaf = sample.leafHashes[Int(index)]
            #expect(try tree.hash(of: TreeNode(level: 0, index: index)) == leaf)
            try tree.inclusionProof(of: index).verify(leafHash: leaf, root: tiles.head.root, with: SHA256())
        }
    }

    @Test(arguments: [1, 2, 7, 255, 256, 257, 300, 512, 700])
    func `a change of any hash of any tile is found`(size: Int) throws {
        let whole = Tiles(SampleTree(size: size))
        try whole.readAll()
        for (coordinate, tile) in whole.tiles {
            for index in Set([0, tile.hashes.count / 2, tile.hashes.count - 1]) {
                var changed = whole
                var hashes = tile.hashes
                hashes[index] = try #require(hashes[index].flipped(bit: index % 256))
                changed.tiles[coordinate] = HashTile(hashes, at: coordinate)
                #expect(throws: TiledTreeError.self) { try changed.readAll() }
            }
        }
    }

    @Test func `another root is found`() throws {
        var tiles = Tiles(SampleTree(size: 300))
        tiles.head.root = try #require(tiles.head.root.flipped())
        #expect(throws: TiledTreeError.rootMismatch) { try tiles.tree() }
        tiles.head = TreeHead(size: 0, root: tiles.head.root)
        #expect(throws: TiledTreeError.rootMismatch) { try tiles.tree() }
    }
}
