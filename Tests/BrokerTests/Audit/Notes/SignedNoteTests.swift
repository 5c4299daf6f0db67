import Cryptography
import Testing

@testable import Broker

/// Signed notes: what is read, what is refused and why, and whose signatures count.
@Suite struct SignedNoteTests {
    private let log: SampleLog

    init() throws { log = try SampleLog() }

    @Test func `every changed bit of a note is refused`() throws {
        for bit in 0..<log.note.count * 8 {
            let changed = flipping(bit, of: log.note)
            #expect(throws: NoteError.self, "bit \(bit)") { try SignedNote(changed).verify(with: [log.logKey]) }
        }
    }

    @Test func `every prefix of a note is refused, unless it ends with the log's signature`() throws {
        let complete = log.note.count
        for count in 0..<log.cosignedNote.count where count != complete {
            let prefix = Array(log.cosignedNote.prefix(count))
            #expect(throws: NoteError.self, "\(count) bytes") { try SignedNote(prefix).verify(with: [log.logKey]) }
        }
    }

    @Test(arguments: [
        ("", NoteError.noFinalNewline),
        ("\n", .noEmptyLine),
        ("text", .noFinalNewline),
        ("text\n", .noEmptyLine),
        ("\n\u{2014} a AAAAAAE=\n", .noEmptyLine),
        ("text\n\n", .noSignature),
        ("text\n\n\u{2014} a AAAAAAE=", .noFinalNewline),
        ("text\n\n\u{2014} a AAAAAAE=\n\n", .noSignature),
        ("text\n\u{2014} a AAAAAAE=\n", .noEmptyLine),
        ("text\n\n- a AAAAAAE=\n", .malformedSignature(1)),
        ("text\n\n\u{2014}a AAAAAAE=\n", .malformedSignature(1)),
        ("text\n\n\u{2014}  AAAAAAE=\n", .malformedSignature(1)),
        ("text\n\n\u{2014} a\n", .malformedSignature(1)),
        ("text\n\n\u{2014} a \n", .malformedSignature(1)),
        ("text\n\n\u{2014} a AAAAAA==\n", .malformedSignature(1)),
        ("text\n\n\u{2014} a AAAAAAE\n", .malformedSignature(1)),
        ("text\n\n\u{2014} a AAAAAAF=\n", .malformedSignature(1)),
        ("text\n\n\u{2014} a AAAAAAE= \n", .malformedSignature(1)),
        ("text\n\n\u{2014} a b AAAAAAE=\n", .malformedSignature(1)),
        ("text\n\n\u{2014} a+b AAAAAAE=\n", .malformedSignature(1)),
        ("text\n\n\u{2014} a\u{a0} AAAAAAE=\n", .malformedSignature(1)),
        ("text\n\n\u{2014} a AAAAAAE=\ntext\n", .malformedSignature(2)),
        ("te\txt\n\n\u{2014} a AAAAAAE=\n", .controlCharacter(at: 2)),
        ("text\r\n\n\u{2014} a AAAAAAE=\n", .controlCharacter(at: 4)),
        ("\u{0}text\n\n\u{2014} a AAAAAAE=\n", .controlCharacter(at: 0)),
        ("text\n\n\u{2014} a AAAAAAE=\n", .noKnownSignature),
    ])
    func `what is no note is refused`(text: String, expected: NoteError) {
        #expect(throws: expected) { try SignedNote(Array(text.utf8)).verify(with: [log.logKey]) }
    }

    @Test(arguments: [
        ([0x61, 0xff], 1), ([0xc3], 0), ([0x61, 0x62, 0xed, 0xa0, 0x80], 2), ([0xc0, 0xaf], 0),
        ([0xf4, 0x90, 0x80, 0x80], 0),
    ])
    func `bytes that are no UTF-8 are refused`(bytes: [UInt8], position: Int) {
        let note = bytes + Array("\n\n\u{2014} a AAAAAAE=\n".utf8)
        #expect(throws: NoteError.notUTF8(at: position)) { try SignedNote(note) }
        #expect(throws: NoteError.notUTF8(at: position)) {
            try SignedNote(signing: bytes + [0x0a], with: [log.signingKey])
        }
    }

    @Test func `a text may have empty lines, whatever they pretend`() throws {
        for text in [
            "\n", "\n\n", "a\n\n", "a\n\nb\n", "a\n\n\u{2014} log.example/chat-1 AAAAAAE=\n", "è \u{2014} \u{7f}\n",
        ] {
            let note = try SignedNote(signing: Array(text.utf8), with: [log.signingKey])
            let again = try SignedNote(note.encode())
            #expect(again == note)
            #expect(again.text == Array(text.utf8))
            #expect(try again.verify(with: [log.logKey]).count == 1)
        }
        #expect(throws: NoteError.noFinalNewline) { try SignedNote(signing: [0x61], with: [log.signingKey]) }
        #expect(throws: NoteError.noFinalNewline) { try SignedNote(signing: [], with: [log.signingKey]) }
        #expect(throws: NoteError.controlCharacter(at: 1)) {
            try SignedNote(signing: [0x61, 0x0d, 0x0a], with: [log.signingKey])
        }
    }

    @Test func `every signature by a known key must be right, in whatever place`() throws {
        let text = Array("text\n".utf8)
        let names = try ["a", "b", "c"].map { try #require(NoteKeyName($0)) }
        let keys = names.map { SigningKey(name: $0, privateKey: .generate()) }
        let note = try SignedNote(signing: text, with: keys)
        #expect(try note.verify(with: keys.map(\.verifierKey)).map(\.key) == keys.map(\.verifierKey))
        #expect(try note.verify(with: [keys[2].verifierKey]).map(\.key) == [keys[2].verifierKey])
        let other = try SignedNote(signing: Array("other\n".utf8), with: keys)
        for index in keys.indices {
            // One line comes from another text.
            var lines = note.signatures.map(\.line)
            lines[index] = other.signatures[index].line
            let forged = lines.reduce(text + [0x0a]) { $0 + $1 + [0x0a] }
            #expect(throws: NoteError.invalidSignature(key: keys[index].verifierKey.title)) {
                try SignedNote(forged).verify(with: keys.map(\.verifierKey))
            }
            let rest = keys.map(\.verifierKey).filter { $0 != keys[index].verifierKey }
            #expect(try SignedNote(forged).verify(with: rest).map(\.key) == rest)
        }
    }

    @Test func `a second, wrong signature by the same key is refused`() throws {
        let right = try SignedNote(log.note)
        let wrong = log.signingKey.sign(Array("other\n".utf8))
        let note = log.note + wrong.line + [0x0a]
        #expect(throws: NoteError.invalidSignature(key: log.logKey.title)) {
            try SignedNote(note).verify(with: [log.logKey])
        }
        let twice = log.note + right.signatures[0].line + [0x0a]
        #expect(try SignedNote(twice).verify(with: [log.logKey, log.logKey]).count == 2)
    }

    @Test func `a key of another algorithm verifies nothing, and no log's signature passes for a witness's`() throws {
        let disguised = VerifierKey(name: log.logKey.name, algorithm: .cosignature, publicKey: log.logKey.publicKey)
        let note = try SignedNote(log.note)
        #expect(throws: NoteError.noKnownSignature) { try note.verify(with: [disguised]) }
        let relabelled = NoteSignature(name: disguised.name, id: disguised.id, bytes: note.signatures[0].bytes)
        let forged = note.text + [0x0a] + relabelled.line + [0x0a]
        #expect(throws: NoteError.invalidSignature(key: disguised.title)) {
            try SignedNote(forged).verify(with: [disguised])
        }
    }

    @Test func `a hundred signatures are read, one more is refused`() throws {
        let line = log.note[(log.note.position(of: "\n\n") + 2)...]
        let body = log.note[..<(log.note.position(of: "\n\n") + 2)]
        let most = (0..<SignedNote.maximumSignatureCount).reduce(body) { sum, _ in sum + line }
        #expect(try SignedNote(Array(most)).signatures.count == 100)
        #expect(throws: NoteError.tooManySignatures) { try SignedNote(Array(most + line)) }
    }

    @Test func `a note may have as many bytes as the limit says, and not one more`() throws {
        let signatures = Array("\n\u{2014} a AAAAAAE=\n".utf8)
        let room = SignedNote.maximumByteCount - signatures.count - 1
        let note = Array(repeating: UInt8(ascii: "x"), count: room) + [0x0a] + signatures
        #expect(try SignedNote(note).text.count == room + 1)
        #expect(throws: NoteError.tooLong(bytes: SignedNote.maximumByteCount + 1)) { try SignedNote([0x78] + note) }
    }
}
