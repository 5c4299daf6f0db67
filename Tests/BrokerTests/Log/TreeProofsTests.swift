import Cryptography
import LMDB
import Testing

@testable import Broker

/// Proofs, tiles and entries from a log, held against what RFC 9162 and C2SP tlog-tiles say of its leaves.
@Suite struct TreeProofsTests {
    private func withLog(of count: Int, _ body: (EventLog, [Digest]) throws -> Void) throws {
        try withTemporaryFolder { path in
            var tree = try TreeLog(in: path, seed: 9)
            while tree.log.head < count { try tree.append(min(700, count - Int(tree.log.head))) }
            try body(tree.log, tree.log.leaves())
        }
    }

    @Test func `random events are proven to be in random trees`() throws {
        try withLog(of: 3000) { log, leaves throws in
            let model = MerkleModel(leaves)
            let hasher = SHA256()
            var random = SplitMix(seed: 10)
            for _ in 0..<300 {
                let size = UInt64.random(in: 1...3000, using: &random)
                let offset = Offset.random(in: 1...size, using: &random)
                let proof = try log.inclusionProof(of: offset, size: size)
                #expect(proof.hashes == model.path(to: Int(offset) - 1, in: 0..<Int(size)))
                try proof.verify(leafHash: leaves[Int(offset) - 1], root: model.head(0..<Int(size)), with: hasher)
            }
        }
    }

    @Test func `random trees are proven to continue others`() throws {
        try withLog(of: 3000) { log, leaves throws in
            let model = MerkleModel(leaves)
            let hasher = SHA256()
            var random = SplitMix(seed: 11)
            for _ in 0..<300 {
                let new = UInt64.random(in: 0...3000, using: &random)
                let old = UInt64.random(in: 0...new, using: &random)
                let proof = try log.consistencyProof(from: old, to: new)
                let roots = (model.head(0..<Int(old)), model.head(0..<Int(new)))
                try proof.verify(oldRoot: roots.0, newRoot: roots.1, with: hasher)
            }
        }
    }

    @Test(arguments: [1, 255, 256, 257, 600])
    func `every tile that a tree of some size has is handed out`(size: UInt64) throws {
        try withLog(of: 600) { log, leaves throws in
            var model = SampleTree(size: 0)
            for leaf in leaves { model.append(leaf, with: SHA256()) }
            for coordinate in TileCoordinate.tiles(to: size) {
                let tile = try #require(try log.tile(at: coordinate))
                #expect(tile == HashTile(at: coordinate) { model.hash(of: $0) })
            }
            for coordinate in TileCoordinate.entryBundles(to: size) {
                let bundle = try #require(try log.entryBundle(at: coordinate))
                let entries = try EntryBundle.decode(bundle.span, width: coordinate.width)
                let hashes = entries.map { MerkleTree.leafHash(of: $0.span, with: SHA256()) }
                #expect(hashes == Array(leaves[Int(coordinate.first)..<Int(coordinate.first) + coordinate.width]))
            }
        }
    }

    @Test func `what the tree hasn't got isn't handed out`() throws {
        try withLog(of: 300) { log, _ throws in
            func coordinate(_ content: TileCoordinate.Content, _ index: UInt64, _ width: Int) throws -> TileCoordinate {
                try #require(TileCoordinate(content, index: index, width: width))
            }
            #expect(try log.tile(at: coordinate(.hashes(level: 0), 1, 45)) == nil)
            #expect(try log.tile(at: coordinate(.hashes(level: 0), 2, 1)) == nil)
            #expect(try log.tile(at: coordinate(.hashes(level: 1), 0, 2)) == nil)
            #expect(try log.tile(at: coordinate(.hashes(level: 2), 0, 1)) == nil)
            #expect(try log.tile(at: coordinate(.entries, 0, 1)) == nil)
            #expect(try log.entryBundle(at: coordinate(.entries, 1, 45)) == nil)
            #expect(try log.entryBundle(at: coordinate(.hashes(level: 0), 0, 1)) == nil)
            let beyond = TreeError.sizeBeyondHead(size: 301, head: 300)
            #expect(throws: beyond) { try log.treeHead(at: 301) }
            #expect(throws: beyond) { try log.inclusionProof(of: 1, size: 301) }
            #expect(throws: beyond) { try log.consistencyProof(from: 1, to: 301) }
            #expect(throws: TreeError.self) { try log.withTree { try $0.node(TreeNode(level: 0, index: 300)) } }
            #expect(throws: TreeError.self) { try log.withTree { try $0.node(TreeNode(level: 9, index: 0)) } }
            let outside = ProofError.indexBeyondSize(index: 20, size: 20)
            #expect(throws: outside) { try log.inclusionProof(of: 21, size: 20) }
            #expect(throws: ProofError.self) { try log.inclusionProof(of: 0, size: 20) }
            #expect(throws: ProofError.sizesReversed(old: 30, new: 20)) { try log.consistencyProof(from: 30, to: 20) }
        }
    }

    @Test func `an event that isn't the tree's is neither proven nor bundled`() throws {
        try withTemporaryFolder { path in
            try TreeLog.altering(path, count: 300) { transaction, tables in
                try transaction.alter(7, in: tables.events) { $0[12] ^= 1 }
                try transaction.remove(9, from: tables.events)
            }
            let log = try EventLog(directory: path, mapBytes: 16 << 20, isReadOnly: true)
            #expect(throws: TreeError.eventAltered(7)) { try log.inclusionProof(of: 7, size: 300) }
            let missing = #expect(throws: EventLog.Damaged.self) { try log.inclusionProof(of: 9, size: 300) }
            #expect(missing?.offset == 9)
            let entries = try #require(TileCoordinate(.entries, index: 0, width: 256))
            #expect(throws: TreeError.eventAltered(7)) { try log.entryBundle(at: entries) }
            // The others are what they were.
            #expect(try log.inclusionProof(of: 8, size: 300).size == 300)
        }
    }

    @Test func `a proof isn't given from hashes that don't fit each other`() throws {
        try withTemporaryFolder { path in
            try TreeLog.altering(path, count: 600) { transaction, tables in
                // The hash over events 257 to 512.
                try transaction.alter(TreeTables.key(level: 1, row: 0), in: tables.nodes) { $0[4 + 32] ^= 1 }
            }
            let log = try EventLog(directory: path, mapBytes: 16 << 20, isReadOnly: true)
            #expect(throws: TreeError.hashesAltered) { try log.inclusionProof(of: 300, size: 600) }
            #expect(throws: TreeError.hashesAltered) { try log.consistencyProof(from: 400, to: 600) }
        }
    }

    /// ```
    /// writer               prover
    /// appends 1 to 40      opens a snapshot, proves its last event in it
    /// appends 41 to 80     opens a snapshot, …
    /// ```
    @Test func `proofs are made on any thread while the writer appends`() async throws {
        try await withTemporaryFolder { path in
            let made = try TreeLog(in: path, seed: 12)
            let log = made.log
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    var tree = made
                    for _ in 0..<25 { try tree.append(40) }
                }
                for _ in 0..<2 {
                    group.addTask {
                        var size: UInt64 = 0
                        while size < 1000 {
                            size = try log.withTree { tree in
                                guard tree.size > 0 else { return 0 }
                                let proof = try tree.inclusionProof(of: tree.size, size: tree.size)
                                #expect(proof.size == tree.size)
                                return tree.size
                            }
                            await Task.yield()
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try log.verifyTree().isIntact)
        }
    }
}
