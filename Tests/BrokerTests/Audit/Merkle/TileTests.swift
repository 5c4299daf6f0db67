import Cryptography
import Testing

@testable import Broker

/// Which tiles a tree has, what can be read from them, and what they are called.
@Suite struct TileTests {
    @Test func `paths are the reference's, both ways`() throws {
        for vector in try TlogVectors.load().tilePaths {
            let content: TileCoordinate.Content = vector.level < 0 ? .entries : .hashes(level: vector.level)
            let coordinate = try #require(TileCoordinate(content, index: vector.index, width: vector.width))
            #expect(coordinate.path == vector.path)
            #expect(try TileCoordinate(path: vector.path.utf8) == coordinate)
        }
    }

    @Test func `entry bundles are the reference's, both ways`() throws {
        for vector in try TlogVectors.load().entryBundles {
            let entries = (vector.start..<vector.end).map(SampleTree.leaf)
            let bundle = EntryBundle.encode(entries)
            #expect(bundle.count == vector.bytes)
            #expect(SHA256.hash(bundle.span).description == vector.sha256)
            #expect(Array(bundle.prefix(9)) == decode(hexadecimal: vector.headHex))
            let coordinate = try TileCoordinate(path: vector.path.utf8)
            #expect(coordinate.content == .entries)
            #expect(coordinate.leaves == UInt64(vector.start)..<UInt64(vector.end))
            #expect(TileCoordinate.entryBundles(to: UInt64(vector.end)).last == coordinate)
            #expect(try EntryBundle.decode(bundle.span, width: coordinate.width) == entries)
        }
    }

    @Test func `every prefix of a bundle, and one byte more, is refused`() throws {
        let bundle = EntryBundle.encode([[], [1], Array(repeating: 2, count: 300)])
        for count in 0..<bundle.count {
            #expect(throws: EntryBundleError.self) {
                try EntryBundle.decode(bundle.span.extracting(first: count), width: 3)
            }
        }
        #expect(throws: EntryBundleError.trailingBytes(1)) { try EntryBundle.decode((bundle + [0]).span, width: 3) }
        #expect(throws: EntryBundleError.trailingBytes(302)) { try EntryBundle.decode(bundle.span, width: 2) }
        #expect(throws: EntryBundleError.truncated(entry: 3)) { try EntryBundle.decode(bundle.span, width: 4) }
    }

    @Test func `an entry may be as long as its length can say`() throws {
        let entry = [UInt8](repeating: 9, count: EntryBundle.maximumEntryByteCount)
        #expect(try EntryBundle.decode(EntryBundle.encode([entry, []]).span, width: 2) == [entry, []])
    }

    @Test(arguments: [
        ("", TilePathError.prefix),
        ("tile", .level),
        ("Tile/0/000", .prefix),
        ("/tile/0/000", .prefix),
        ("tile/", .level),
        ("tile/8/000", .level),
        ("tile/00/000", .level),
        ("tile/-1/000", .level),
        ("tile/data/000", .level),
        ("tile/0", .index(element: 1)),
        ("tile/0/", .index(element: 1)),
        ("tile/0/00", .index(element: 1)),
        ("tile/0/0000", .index(element: 1)),
        ("tile/0/00a", .index(element: 1)),
        ("tile/0/x001", .index(element: 1)),
        ("tile/0/001/000", .index(element: 1)),
        ("tile/0/x000/001", .index(element: 1)),
        ("tile/0/x001/x002", .index(element: 2)),
        ("tile/0/x001/2", .index(element: 2)),
        ("tile/0/000/", .index(element: 1)),
        ("tile/0/000.p", .index(element: 1)),
        ("tile/0/.p/1", .index(element: 1)),
        ("tile/0/000.p/", .width),
        ("tile/0/000.p/0", .width),
        ("tile/0/000.p/01", .width),
        ("tile/0/000.p/256", .width),
        ("tile/0/000.p/-1", .width),
        ("tile/7/001", .outOfRange),
        ("tile/7/000", .outOfRange),
        ("tile/0/x036/x028/x797/x018/x963/968", .outOfRange),
        ("tile/0/x999/x999/x999/x999/x999/x999/x999/999", .outOfRange),
    ])
    func `what is no path of a tile is refused`(path: String, expected: TilePathError) {
        #expect(throws: expected) { try TileCoordinate(path: path.utf8) }
    }

    @Test func `the highest tiles that a tree can have are named`() throws {
        let size = MerkleTree.maximumSize
        for level in 0...TileCoordinate.maximumLevel {
            let count = size >> (8 * level)
            let index = (count - 1) / 256
            let width = try #require(TileCoordinate.width(ofTile: index, level: level, inTreeOf: size))
            let coordinate = try #require(TileCoordinate(.hashes(level: level), index: index, width: width))
            #expect(coordinate.leaves.upperBound <= size)
            #expect(try TileCoordinate(path: coordinate.path.utf8) == coordinate)
            #expect(TileCoordinate(.hashes(level: level), index: index + 1, width: 1) == nil)
        }
        #expect(TileCoordinate(.hashes(level: 0), index: 0, width: 0) == nil)
        #expect(TileCoordinate(.hashes(level: 0), index: 0, width: 257) == nil)
        #expect(TileCoordinate(.hashes(level: -1), index: 0) == nil)
        #expect(TileCoordinate(.hashes(level: 8), index: 0, width: 1) == nil)
        #expect(TileCoordinate(.hashes(level: 63), index: .max, width: 1) == nil)
        #expect(TileCoordinate(.entries, index: .max) == nil)
    }

    /// C2SP tlog-tiles: "a tree of size 70,000 will be represented by 273 full level 0 tiles, …".
    @Test func `a tree has the tiles that the specification counts`() {
        let tiles = TileCoordinate.tiles(to: 70_000)
        let widths = (0...7).map { level in tiles.filter { $0.level == level }.map(\.width) }
        #expect(widths[0] == Array(repeating: 256, count: 273) + [112])
        #expect(widths[1] == [256, 17])
        #expect(widths[2] == [1])
        #expect(Array(widths[3...]) == [[], [], [], [], []])
        #expect(TileCoordinate.tiles(to: 256).map(\.path) == ["tile/0/000", "tile/1/000.p/1"])
        #expect(TileCoordinate.tiles(to: 0) == [])
        #expect(TileCoordinate.entryBundles(to: 513).map(\.path).last == "tile/entries/002.p/1")
    }

    @Test func `the tiles that a growing tree adds are those that are new or wider`() {
        for old in stride(from: UInt64(0), through: 600, by: 37) {
            for new in stride(from: old, through: 66_000, by: 2111) {
                let before = Set(TileCoordinate.tiles(to: old))
                let expected = TileCoordinate.tiles(to: new).filter { !before.contains($0) }
                #expect(TileCoordinate.tiles(from: old, to: new) == expected)
            }
        }
    }

    @Test func `every node can be read from its tile`() throws {
        let hasher = SHA256()
        let tree = SampleTree(size: 1500)
        for size in [1, 2, 255, 256, 257, 300, 511, 512, 1500] as [UInt64] {
            for (level, hashes) in tree.stored.enumerated() {
                for (index, hash) in hashes.enumerated() {
                    let node = TreeNode(level: level, index: UInt64(index))
                    let coordinate = TileCoordinate(of: node, inTreeOf: size)
                    guard node.leaves.upperBound <= size else {
                        #expect(coordinate == nil)
                        continue
                    }
                    let found = try #require(coordinate)
                    let tile = HashTile(at: found, read: tree.hash(of:))
                    let read = tile.hash(of: node, with: hasher)
                    #expect(read == hash)
                }
            }
        }
    }

    @Test func `a tile doesn't answer for nodes that lie elsewhere`() throws {
        let hasher = SHA256()
        let tree = SampleTree(size: 700)
        let coordinate = try #require(TileCoordinate(.hashes(level: 0), index: 1, width: 44))
        let tile = HashTile(at: coordinate, read: tree.hash(of:))
        for node in [
            TreeNode(level: 0, index: 255), TreeNode(level: 0, index: 300), TreeNode(level: 0, index: 512),
            TreeNode(level: 5, index: 9), TreeNode(level: 8, index: 1), TreeNode(level: 9, index: 0),
            TreeNode(level: 0, index: .max), TreeNode(level: 7, index: .max),
        ] {
            let hash = tile.hash(of: node, with: hasher)
            #expect(hash == nil, "\(node)")
        }
        let inside = TreeNode(level: 5, index: 8)
        let hash = tile.hash(of: inside, with: hasher)
        #expect(hash == tree.hash(of: inside))
    }

    @Test func `a proof made from tiles is the proof made from stored hashes`() throws {
        let hasher = SHA256()
        let tree = SampleTree(size: 700)
        func read(_ node: TreeNode) throws -> Digest {
            let coordinate = try #require(TileCoordinate(of: node, inTreeOf: 700))
            let tile = HashTile(at: coordinate, read: tree.hash(of:))
            let hash = tile.hash(of: node, with: SHA256())
            return try #require(hash)
        }
        for index in stride(from: UInt64(0), to: 700, by: 61) {
            let expected = try InclusionProof.prove(index: index, size: 700, with: hasher, read: tree.hash(of:))
            #expect(try InclusionProof.prove(index: index, size: 700, with: hasher, read: read) == expected)
        }
    }

    @Test func `bytes of another length are no tile`() throws {
        let coordinate = try #require(TileCoordinate(.hashes(level: 0), index: 0, width: 2))
        for count in [0, 1, 32, 63, 65, 96] {
            let bytes = [UInt8](repeating: 1, count: count)
            let tile = HashTile(bytes.span, at: coordinate)
            #expect(tile == nil, "\(count) bytes")
        }
        #expect(HashTile([MerkleTree.emptyRoot], at: coordinate) == nil)
    }
}
