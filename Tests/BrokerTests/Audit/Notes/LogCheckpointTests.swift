import Cryptography
import Testing

@testable import Broker

/// Checkpoints: what their text may be, and whose they are.
@Suite struct LogCheckpointTests {
    private static let root = "jXmmmGkq41b2P++/RJC3UTyjELuhYnjg2FEYRCsxaTU="
    private let log: SampleLog

    init() throws { log = try SampleLog() }

    @Test(arguments: [
        ("", CheckpointError.origin),
        ("\n", .origin),
        ("\n1\n\(root)\n", .origin),
        ("o", .origin),
        ("o\n", .size),
        ("o\n1", .size),
        ("o\n\n\(root)\n", .size),
        ("o\n01\n\(root)\n", .size),
        ("o\n+1\n\(root)\n", .size),
        ("o\n-1\n\(root)\n", .size),
        ("o\n1 \n\(root)\n", .size),
        ("o\n1a\n\(root)\n", .size),
        ("o\n9223372036854775808\n\(root)\n", .size),
        ("o\n18446744073709551616\n\(root)\n", .size),
        ("o\n1\n", .root),
        ("o\n1\n\(root)", .root),
        ("o\n1\n\(root.dropLast())\n", .root),
        ("o\n1\n\(root.dropLast(2))V=\n", .root),
        ("o\n1\nAAAA\n", .root),
        ("o\n1\nAAAA\(root)\n", .root),
        ("o\n0\n\(root)\n", .rootOfEmptyTree),
        ("o\n1\n\(root)\n\n", .extensionLine(4)),
        ("o\n1\n\(root)\nx", .extensionLine(4)),
        ("o\n1\n\(root)\nx\n\ny\n", .extensionLine(5)),
    ])
    func `what is no checkpoint is refused`(text: String, expected: CheckpointError) {
        #expect(throws: expected) { try LogCheckpoint(text: Array(text.utf8)) }
    }

    @Test(arguments: [
        "o\n1\n\(root)\n",
        "o\n9223372036854775807\n\(root)\n",
        "any words, 世界\n1\n\(root)\n",
        "o\n1\n\(root)\nextension 1\n+ 2 +\n",
    ])
    func `what is one keeps its bytes`(text: String) throws {
        #expect(try LogCheckpoint(text: Array(text.utf8)).text == Array(text.utf8))
    }

    @Test func `a checkpoint signed by others alone is not the log's`() throws {
        let lines = log.cosignedNote.position(of: "\n\n") + 2
        let byWitness = log.cosignedNote[..<lines] + log.cosignedNote[log.cosignedNote.position(of: "\u{2014} wit")...]
        let note = try SignedNote(Array(byWitness))
        #expect(throws: CheckpointError.notSignedByLog(key: log.logKey.title)) {
            try VerifiedCheckpoint(note, logKey: log.logKey, witnesses: [log.witnessKey])
        }
    }

    @Test func `a checkpoint of another log is refused, though the log's key signed it`() throws {
        let name = try #require(NoteKeyName("log.example/chat-2"))
        let root = try #require(Digest(base64: Array(Self.root.utf8)))
        let note = try LogCheckpoint(origin: name, size: 300, root: root).sign(with: log.signingKey)
        let expected = CheckpointError.wrongOrigin(expected: "log.example/chat-1", found: "log.example/chat-2")
        #expect(throws: expected) { try VerifiedCheckpoint(note, logKey: log.logKey) }
    }

    @Test func `a signed text that is no checkpoint is refused`() throws {
        let note = try SignedNote(signing: Array("hello\n".utf8), with: [log.signingKey])
        #expect(throws: CheckpointError.size) { try VerifiedCheckpoint(note, logKey: log.logKey) }
    }

    @Test func `a wrong signature by a known witness spoils a checkpoint that the log signed`() throws {
        let changed = log.cosignedNote.replacing("JksxQQAAAABo", with: "JksxQQAAAABp")
        let note = try SignedNote(changed)
        #expect(throws: CheckpointError.note(.invalidSignature(key: log.witnessKey.title))) {
            try VerifiedCheckpoint(note, logKey: log.logKey, witnesses: [log.witnessKey])
        }
        #expect(try VerifiedCheckpoint(note, logKey: log.logKey).cosignatures == [])
    }

    /// A signature by an unknown key is ignored, so nothing is lost if it is changed; and a changed name or id makes a
    /// known key an unknown one.
    @Test func `a changed bit is refused, or lies in a witness's signature, and the checkpoint stays`() throws {
        let note = log.cosignedNote
        let checkpoint = try VerifiedCheckpoint(SignedNote(note), logKey: log.logKey).checkpoint
        let witnessLine = note.position(of: "\u{2014} witness")..<note.count
        #expect(witnessLine.count > 100)
        for bit in 0..<note.count * 8 {
            guard let changed = try? SignedNote(flipping(bit, of: note)) else { continue }
            for witnesses in [[], [log.witnessKey]] {
                let verified = try? VerifiedCheckpoint(changed, logKey: log.logKey, witnesses: witnesses)
                guard let verified else { continue }
                #expect(witnessLine.contains(bit / 8), "bit \(bit)")
                #expect(verified.checkpoint == checkpoint, "bit \(bit)")
                #expect(verified.cosignatures == [], "bit \(bit)")
            }
        }
    }
}
