import Cryptography
import LMDB
import Testing

@testable import Broker

/// The tree that grows with the log, held against the definitions of RFC 9162.
@Suite struct LogTreeTests {
    @Test(arguments: [1, 2, 3] as [UInt64])
    func `after every commit, and for every size before, the root is that of the leaves`(seed: UInt64) throws {
        try withTemporaryFolder { path in
            var random = SplitMix(seed: seed)
            var tree = try TreeLog(in: path, seed: seed)
            #expect(try tree.log.treeHead() == TreeHead(size: 0, root: MerkleTree.emptyRoot))
            while tree.log.head < 600 {
                try tree.append(Int.random(in: 1...60, using: &random))
                #expect(tree.log.treeSize == tree.log.head)
                let leaves = try tree.log.leaves()
                let expected = TreeHead(size: tree.log.head, root: MerkleModel(leaves).head(0..<leaves.count))
                #expect(try tree.log.treeHead() == expected, "seed \(seed), size \(leaves.count)")
            }
            let model = MerkleModel(try tree.log.leaves())
            try tree.log.withTree { snapshot throws in
                for size in 0...snapshot.size {
                    #expect(try snapshot.head(at: size) == TreeHead(size: size, root: model.head(0..<Int(size))))
                }
            }
            #expect(try tree.log.verifyTree().isIntact)
        }
    }

    /// Sizes at which tiles and rows begin, are full and go on, taken up again from what is stored.
    @Test func `reopened at any size, the tree goes on where it was`() throws {
        try withTemporaryFolder { path in
            var tree = try TreeLog(in: path, seed: 4)
            for size in [1, 15, 16, 17, 32, 255, 256, 257, 271, 272, 511, 512, 513, 768] {
                try tree.append(size - Int(tree.log.head))
                for isReadOnly in [true, false] {
                    try tree.reopen(isReadOnly: isReadOnly)
                    let leaves = try tree.log.leaves()
                    #expect(tree.log.treeSize == UInt64(size))
                    #expect(!tree.log.needsTreeUpgrade)
                    #expect(try tree.log.treeHead().root == MerkleModel(leaves).head(0..<size), "size \(size)")
                }
            }
            #expect(try tree.log.verifyTree().isIntact)
        }
    }

    /// Leaves without events: 65,537 of them take a second.
    @Test func `the third level of tiles begins as it should`() throws {
        try withTemporaryFolder { path in
            let environment = try Environment(path: path, options: .init(mapBytes: 64 << 20, isDurable: false))
            let tables = try environment.write { try TreeTables(making: $0) }
            let hasher = SHA256()
            var tree = LogTree()
            var leaves: [Digest] = []
            for size in [255, 256, 257, 65_279, 65_280, 65_535, 65_536, 65_537, 65_792] {
                while leaves.count < size {
                    var leaf: [UInt8] = []
                    leaf.append(littleEndian: UInt64(leaves.count))
                    leaves.append(SHA256.hash(leaf.span))
                    tree.append(leaves[leaves.count - 1], with: hasher)
                }
                try environment.write { try tree.write(in: &$0, tables) }
                let model = MerkleModel(leaves)
                try environment.read { transaction in
                    #expect(try tables.size(in: transaction) == UInt64(size))
                    let root = try MerkleTree.root(size: UInt64(size), with: hasher) { node in
                        try tables.hash(of: node, in: transaction, with: hasher)
                    }
                    #expect(root == model.head(0..<size))
                    // Taken up again, it is the same in all its parts.
                    let again = try LogTree(in: transaction, tables, with: hasher)
                    #expect(again.frontier == tree.frontier)
                    for level in 0...2 {
                        let count = size >> (8 * level)
                        let hashes = try tables.hashes(level: level, 0..<UInt64(count), in: transaction)
                        #expect(hashes.count == count * Digest.byteCount)
                        for index in [0, count / 2, count - 1] where index >= 0 && count > 0 {
                            let leaves = index << (8 * level)..<(index + 1) << (8 * level)
                            #expect(TileHashes.hash(at: index, in: hashes.span) == model.head(leaves))
                        }
                    }
                }
            }
        }
    }

    @Test(arguments: [true, false])
    func `a commit that fails leaves the tree as it was`(isReopened: Bool) throws {
        struct Unwanted: Error {}
        try withTemporaryFolder { path in
            var tree = try TreeLog(in: path, seed: 5)
            try tree.append(250)
            if isReopened { try tree.reopen() }
            let before = try tree.log.treeHead()
            var copy = tree
            let lost = copy.batch(700)
            #expect(throws: Unwanted.self) { try tree.log.append(lost) { _ in throw Unwanted() } }
            let full = try FaultyDisk(device: "/dev/full", under: path)
            #expect(throws: LMDBError.self) { try tree.log.append(lost) }
            full.repair()
            #expect(try tree.log.treeHead() == before)
            #expect(tree.log.treeSize == 250)
            try tree.append(30)
            let leaves = try tree.log.leaves()
            #expect(leaves.count == 280)
            #expect(try tree.log.treeHead().root == MerkleModel(leaves).head(0..<280))
            #expect(try tree.log.verifyTree().isIntact)
        }
    }

    @Test func `another change in the same commit stands or falls with it`() throws {
        try withTemporaryFolder { path in
            var tree = try TreeLog(in: path, seed: 6)
            try tree.append(3)
            let before = try tree.log.treeHead()
            let hasher = SHA256()
            let redacted = try tree.log.withRecord(at: 2) { $0.redacted(with: hasher) } ?? []
            let events = tree.log.events
            try tree.log.append(tree.batch(1)) { try $0.put(redacted.span, for: 2, in: events) }
            #expect(try tree.log.withRecord(at: 2) { $0.isRedacted } == true)
            // The redacted event has the leaf that it had.
            #expect(try tree.log.treeHead(at: 3) == before)
            // Nobody has said so.
            #expect(try tree.log.verifyTree().faults == [.unexplainedRedaction(2)])
        }
    }

    /// ```
    /// reader (this process)          writer (another)
    /// opens at 1
    ///                                appends 2 and 3
    /// a proof of 3 in the tree of 3
    /// looks for the head again
    /// ```
    @Test func `a reader beside a writer proves what is appended`() async throws {
        try await withTemporaryFolder { path in
            do { try EventLog(directory: path, mapBytes: 1 << 20).append(messages: ["a"]) }
            let reader = try EventLog(directory: path, mapBytes: 1 << 20, isReadOnly: true)
            #expect(reader.treeSize == 1)
            await #expect(processExitsWith: .success) { [path = path as String] in
                try EventLog(directory: path, mapBytes: 1 << 20).append(messages: ["b", "c"])
            }
            let proof = try reader.inclusionProof(of: 3, size: 3)
            let leaf = try #require(try reader.leafHash(at: 3))
            try proof.verify(leafHash: leaf, root: reader.treeHead().root, with: SHA256())
            try reader.refreshHead()
            #expect(reader.treeSize == 3)
        }
    }
}
