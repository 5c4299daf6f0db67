import Cryptography
import Testing

@testable import Broker

/// Files that prove one checkpoint to continue another: what is read, and that nothing in them can be changed.
@Suite struct TlogConsistencyTests {
    private let log: SampleLog
    private let old: LogCheckpoint

    init() throws {
        log = try SampleLog()
        old = try LogCheckpoint(text: Array(log.vectors.checkpoints[2].body.utf8))
    }

    private var file: [UInt8] { Array(log.vectors.addCheckpointBodyOld100New300.utf8) }

    private func verify(_ file: [UInt8], continuing old: LogCheckpoint) throws {
        try TlogConsistency(file).verify(continuing: old, logKey: log.logKey, with: SHA256())
    }

    @Test func `every changed bit is refused`() throws {
        let file = file
        try verify(file, continuing: old)
        for bit in 0..<file.count * 8 {
            #expect(throws: TlogConsistencyError.self, "bit \(bit)") {
                try verify(flipping(bit, of: file), continuing: old)
            }
        }
    }

    @Test func `every prefix is refused`() throws {
        let file = file
        for count in 0..<file.count {
            #expect(throws: TlogConsistencyError.self, "\(count) bytes") {
                try verify(Array(file.prefix(count)), continuing: old)
            }
        }
    }

    @Test(arguments: [
        ("old 100\n", "old 0100\n", TlogConsistencyError.oldSize),
        ("old 100\n", "old\n", .oldSize),
        ("old 100\n", "new 100\n", .oldSize),
        ("old 100\n", "", .oldSize),
        ("old 100\n", "old 99\n", .wrongOldSize(expected: 100, found: 99)),
        ("3045", "304", .hashes(.malformed(line: 2))),
        ("OfV9Q", "OfV9Q", .hashes(.noEmptyLine)),
        ("3045c6O8evqs6wh5y8klW0RR7ZhNqObx/uvPX3Bmrho=\n", "", .consistency(.tooFewHashes(7))),
    ])
    func `what is no proof is refused, with a line`(old: String, new: String, expected: TlogConsistencyError) throws {
        // Nothing replaced stands for a file that ends within its hashes.
        let changed = old == new ? Array(file.prefix(100)) : file.replacing(old, with: new)
        #expect(changed != file)
        #expect(throws: expected) { try verify(changed, continuing: self.old) }
    }

    @Test func `a checkpoint that this log didn't continue is refused`() throws {
        let root = try #require(old.root.flipped(bit: 77))
        let forked = LogCheckpoint(origin: log.logKey.name, size: old.size, root: root)
        #expect(throws: TlogConsistencyError.consistency(.oldRootMismatch)) { try verify(file, continuing: forked) }
        let name = try #require(NoteKeyName("log.example/chat-2"))
        let other = LogCheckpoint(origin: name, size: old.size, root: old.root)
        let expected = CheckpointError.wrongOrigin(expected: "log.example/chat-1", found: "log.example/chat-2")
        #expect(throws: TlogConsistencyError.checkpoint(expected)) { try verify(file, continuing: other) }
    }

    @Test func `a log that lost its last entries is refused`() throws {
        // The checkpoint in the file is the older one, of which the auditor kept the newer.
        let newer = try VerifiedCheckpoint(SignedNote(log.note), logKey: log.logKey).checkpoint
        let note = try SignedNote(Array(log.vectors.checkpoints[2].signedNote.utf8))
        let file = TlogConsistency(ConsistencyProof(oldSize: 300, newSize: 100, hashes: []), note: note).encode()
        #expect(throws: TlogConsistencyError.consistency(.sizesReversed(old: 300, new: 100))) {
            try verify(file, continuing: newer)
        }
    }

    @Test func `every checkpoint of the reference continues every older one`() throws {
        let tree = SampleTree(size: 300)
        let small = log.vectors.checkpoints.filter { $0.size <= 300 }
        for newer in small {
            for older in small where older.size <= newer.size {
                let proof = try ConsistencyProof.prove(
                    from: older.size,
                    to: newer.size,
                    with: SHA256(),
                    read: tree.hash(of:)
                )
                let file = TlogConsistency(proof, note: try SignedNote(Array(newer.cosignedNote.utf8)))
                #expect(try TlogConsistency(file.encode()) == file)
                try verify(file.encode(), continuing: LogCheckpoint(text: Array(older.body.utf8)))
            }
        }
    }
}
