import Cryptography
import LMDB
import Testing

@testable import Broker

/// Proofs in a log of a million events, held against roots that a frontier, fed with the same leaves, had on the way.
@Suite struct MillionProofsTests {
    private static let size = 1_000_000
    private static let proofs = 10_000
    private static let batch = 10_000

    @Test func `10,000 random inclusion and consistency proofs in a log of a million events`() throws {
        try withTemporaryFolder { path in
            let log = try EventLog(directory: path, mapBytes: 1 << 30)
            var random = SplitMix(seed: 13)
            let questions = (0..<Self.proofs).map { _ in Question(size: UInt64(Self.size), &random) }
            var roots: [UInt64: Digest] = [:]
            var leaves: [Offset: Digest] = [:]
            for question in questions {
                for size in [question.size, question.oldSize] { roots[size] = MerkleTree.emptyRoot }
                leaves[question.offset] = MerkleTree.emptyRoot
            }
            let hasher = SHA256()
            var leafHasher = LeafHasher()
            var frontier = TreeFrontier()
            while log.head < Self.size {
                let batch = Self.batch(after: log.head)
                for index in batch.entries.indices {
                    let leaf = try batch.withRecord(at: index) { leafHasher.hash($0, with: hasher) }
                    frontier.append(leaf, with: hasher) { _, _ in }
                    if roots[frontier.size] != nil { roots[frontier.size] = frontier.root(with: hasher) }
                    if leaves[frontier.size] != nil { leaves[frontier.size] = leaf }
                }
                try log.append(batch)
            }
            for start in stride(from: 0, to: Self.proofs, by: 500) {
                try log.withTree { tree in
                    for question in questions[start..<start + 500] {
                        try question.ask(tree, roots: roots, leaves: leaves)
                    }
                }
            }
        }
    }

    /// An event, a tree that has it, and an older tree.
    private struct Question {
        let size: UInt64
        let oldSize: UInt64
        let offset: Offset

        init(size most: UInt64, _ random: inout SplitMix) {
            size = .random(in: 1...most, using: &random)
            oldSize = .random(in: 0...size, using: &random)
            offset = .random(in: 1...size, using: &random)
        }

        func ask(_ tree: borrowing TreeSnapshot, roots: [UInt64: Digest], leaves: [Offset: Digest]) throws {
            let root = try #require(roots[size])
            try tree.inclusionProof(of: offset, size: size)
                .verify(leafHash: #require(leaves[offset]), root: root, with: SHA256())
            try tree.consistencyProof(from: oldSize, to: size)
                .verify(oldRoot: #require(roots[oldSize]), newRoot: root, with: SHA256())
        }
    }

    private static func batch(after head: Offset) -> EventBatch {
        var batch = EventBatch(first: head + 1)
        let payload: [UInt8] = []
        for _ in 0..<Self.batch {
            let header = EventHeader(
                type: .messageDeleted,
                payloadClass: .empty,
                milliseconds: 1,
                actor: Sample.id(1),
                subject: Sample.id(2),
                stream: Sample.id(3),
                revision: batch.next,
                reference: 1
            )
            batch.append(header: header, salt: (batch.next, 1), payload: payload.span)
        }
        return batch
    }
}
