import Cryptography
import Testing

@testable import Broker

/// Proof files: what is read, and that nothing in them can be changed unnoticed.
@Suite struct TlogProofTests {
    private let log: SampleLog

    init() throws { log = try SampleLog() }

    /// The leaf is computed from `extra`, as an auditor does it with the event that a file brings along.
    private func withExtra(_ note: [UInt8]) throws -> [UInt8] {
        let proof = try TlogProof(log.proof)
        let inclusion = InclusionProof(index: proof.index, size: 300, hashes: proof.hashes)
        return TlogProof(inclusion, note: try SignedNote(note), extra: SampleTree.leaf(7)).encode()
    }

    private func verify(_ file: [UInt8], witnesses: [VerifierKey] = []) throws -> VerifiedCheckpoint {
        let proof = try TlogProof(file)
        let leafHash = MerkleTree.leafHash(of: proof.extra.span, with: SHA256())
        return try proof.verify(leafHash: leafHash, logKey: log.logKey, witnesses: witnesses, with: SHA256())
    }

    @Test func `every changed bit of a proof is refused`() throws {
        let file = try withExtra(log.note)
        #expect(try verify(file).checkpoint.size == 300)
        for bit in 0..<file.count * 8 {
            #expect(throws: TlogProofError.self, "bit \(bit)") { try verify(flipping(bit, of: file)) }
        }
    }

    /// Of what a witness wrote only the name and the id may change: it is then another's signature, which is ignored.
    @Test func `with a witness, a changed bit is refused or costs no more than the witness's signature`() throws {
        let file = try withExtra(log.cosignedNote)
        #expect(try verify(file, witnesses: [log.witnessKey]).cosignatures.count == 1)
        let witnessLine = file.position(of: "\u{2014} witness")..<file.count
        var accepted = 0
        for bit in 0..<file.count * 8 {
            guard let verified = try? verify(flipping(bit, of: file), witnesses: [log.witnessKey]) else { continue }
            accepted += 1
            #expect(witnessLine.contains(bit / 8), "bit \(bit)")
            #expect(verified.cosignatures == [], "bit \(bit)")
        }
        #expect(accepted < 200)
    }

    @Test func `every prefix of a proof is refused`() throws {
        let file = try withExtra(log.note)
        for count in 0..<file.count {
            #expect(throws: TlogProofError.self, "\(count) bytes") { try verify(Array(file.prefix(count))) }
        }
    }

    @Test func `another leaf or another log's key is refused`() throws {
        let proof = try TlogProof(log.proof)
        let other = MerkleTree.leafHash(of: SampleTree.leaf(8).span, with: SHA256())
        #expect(throws: TlogProofError.inclusion(.rootMismatch)) {
            try proof.verify(leafHash: other, logKey: log.logKey, with: SHA256())
        }
        let stranger = SigningKey(name: log.logKey.name, privateKey: .generate()).verifierKey
        #expect(throws: TlogProofError.checkpoint(.note(.noKnownSignature))) {
            try proof.verify(leafHash: log.leafHash, logKey: stranger, with: SHA256())
        }
    }

    @Test(arguments: [
        ("c2sp.org/tlog-proof@v1\n", "c2sp.org/tlog-proof@v2\n", TlogProofError.header),
        ("c2sp.org/tlog-proof@v1\n", "", .header),
        ("c2sp.org/tlog-proof@v1\n", "c2sp.org/tlog-proof@v1\r\n", .header),
        ("\nindex 7", "\nextra \nindex 7", .extra),
        ("\nindex 7", "\nextra AAA\nindex 7", .extra),
        ("\nindex 7", "\nextra AAB=\nindex 7", .extra),
        ("\nindex 7", "\nextra AAA=\nextra AAA=\nindex 7", .index(line: 3)),
        ("\nindex 7", "\nExtra AAA=\nindex 7", .index(line: 2)),
        ("\nindex 7", "", .index(line: 2)),
        ("\nindex 7", "\nindex", .index(line: 2)),
        ("\nindex 7", "\nindex ", .index(line: 2)),
        ("\nindex 7", "\nindex 07", .index(line: 2)),
        ("\nindex 7", "\nindex  7", .index(line: 2)),
        ("\nindex 7", "\nindex -7", .index(line: 2)),
        ("\nindex 7", "\nextra AAA=\nindex x", .index(line: 3)),
        ("\nindex 7", "\nindex 9223372036854775808", .index(line: 2)),
        ("\nindex 7", "\nindex 8", .inclusion(.rootMismatch)),
        ("\nindex 7", "\nindex 300", .inclusion(.indexBeyondSize(index: 300, size: 300))),
        ("ePYY", "ePY", .hashes(.malformed(line: 3))),
        ("l2Y8=\n", "l2Y9=\n", .hashes(.malformed(line: 3))),
        ("l2Y8=\n", "l2Y8=\n\n", .checkpoint(.note(.invalidSignature(key: "log.example/chat-1+e5daba64")))),
        ("\nindex 7\n", "\nindex 7\nAAAA\n", .hashes(.malformed(line: 3))),
        ("YxOfs=\n\nlog", "YxOfs=\nlog", .hashes(.malformed(line: 12))),
        ("YxOfs=\n", "YxOfs=\nYxOfs=\n", .hashes(.malformed(line: 12))),
        ("xB0CNcyJ+m+0EUtm7sDooZx1hSA01cz/p0OhYgYxOfs=\n", "", .inclusion(.tooFewHashes(8))),
        ("\n\n\u{2014}", "\n\u{2014}", .note(.noEmptyLine)),
    ])
    func `what is no proof is refused, with a line`(old: String, new: String, expected: TlogProofError) throws {
        let changed = log.proof.replacing(old, with: new)
        #expect(changed != log.proof)
        #expect(throws: expected) {
            try TlogProof(changed).verify(leafHash: log.leafHash, logKey: log.logKey, with: SHA256())
        }
    }

    @Test func `a proof without hashes is one for the only leaf`() throws {
        let tree = SampleTree(size: 1)
        let root = tree.frontier.root(with: SHA256())
        let note = try LogCheckpoint(origin: log.logKey.name, size: 1, root: root).sign(with: log.signingKey)
        let file = TlogProof(InclusionProof(index: 0, size: 1, hashes: []), note: note)
        #expect(try TlogProof(file.encode()) == file)
        #expect(file.encode().starts(with: "c2sp.org/tlog-proof@v1\nindex 0\n\nlog.example".utf8))
        try file.verify(leafHash: root, logKey: log.logKey, with: SHA256())
    }

    @Test func `63 hashes are read, one more is refused`() throws {
        let line = "ePYYX6XQ4wJMIV6BpeKb1kHPn9upptfyDFuj57vl2Y8=\n"
        let most = log.proof.replacing(line, with: String(repeating: line, count: 55))
        #expect(try TlogProof(most).hashes.count == 63)
        let more = log.proof.replacing(line, with: String(repeating: line, count: 56))
        #expect(throws: TlogProofError.hashes(.malformed(line: 66))) { try TlogProof(more) }
    }

    /// 16 MiB of content with an id, header, salt and checksum, beside the longest proof and the longest note.
    @Test func `the largest event fits a proof`() throws {
        let content = [UInt8](repeating: 0x78, count: 16 << 20)
        let payload = MessagePayload.encode(content: content, id: [UInt8](repeating: 0x69, count: 64))
        let event = EventHeader.byteCount + Record.saltByteCount + payload.count + Record.checksumByteCount
        let lines = "c2sp.org/tlog-proof@v1\nextra \nindex \(UInt64.max)\n\n".utf8.count + 63 * 45
        let most = lines + (event + 2) / 3 * 4 + SignedNote.maximumByteCount
        #expect(most <= TlogProof.maximumByteCount)
    }

    @Test func `a proof may have as many bytes as the limit says, and not one more`() throws {
        let file = [UInt8](repeating: 0x0a, count: TlogProof.maximumByteCount)
        #expect(throws: TlogProofError.header) { try TlogProof(file) }
        #expect(throws: TlogProofError.tooLong(bytes: file.count + 1)) { try TlogProof(file + [0x0a]) }
    }
}
