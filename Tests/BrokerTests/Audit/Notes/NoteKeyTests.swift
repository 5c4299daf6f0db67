import Cryptography
import Testing

@testable import Broker

/// Keys as text: what is refused, and why.
@Suite struct NoteKeyTests {
    private let log: SampleLog

    init() throws { log = try SampleLog() }

    @Test(arguments: [
        ("", NoteKeyError.parts),
        ("log.example", .parts),
        ("log.example+530d903a", .parts),
        ("+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", .name),
        ("example .com+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", .name),
        ("example\u{a0}com+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", .name),
        ("example\u{1}com+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", .name),
        ("example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", .id),
        ("example.com/foo+530d903+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", .id),
        ("example.com/foo+0530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", .id),
        ("example.com/foo+530d903g+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", .id),
        ("example.com/foo+-30d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", .id),
        ("example.com/foo+530d903a+", .key),
        ("example.com/foo+530d903a+Aeky", .key),
        ("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2", .key),
        ("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k ", .key),
        ("example.com/foo+530d903a+BukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", .unknownAlgorithm(6)),
        ("example.com/bar+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", .idMismatch),
        ("example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", .idMismatch),
        ("example.com/foo+530d903a+BOkyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", .idMismatch),
    ])
    func `what is no verifier key is refused`(text: String, expected: NoteKeyError) {
        #expect(throws: expected) { try VerifierKey(text) }
    }

    @Test func `every changed bit and every prefix of a verifier key is refused`() throws {
        let text = Array(log.vectors.note.logVkey.utf8)
        for bit in 0..<text.count * 8 {
            let changed = String(decoding: flipping(bit, of: text), as: UTF8.self)
            #expect(throws: NoteKeyError.self, "bit \(bit)") { try VerifierKey(changed) }
        }
        for count in 0..<text.count {
            let prefix = String(decoding: text.prefix(count), as: UTF8.self)
            #expect(throws: NoteKeyError.self, "\(count) bytes") { try VerifierKey(prefix) }
        }
    }

    @Test func `every changed bit and every prefix of a signing key is refused`() throws {
        let text = Array(log.vectors.note.logSkeyGoFormat.utf8)
        for bit in 0..<text.count * 8 {
            let changed = String(decoding: flipping(bit, of: text), as: UTF8.self)
            #expect(throws: NoteKeyError.self, "bit \(bit)") { try SigningKey(secretText: changed) }
        }
        for count in 0..<text.count {
            let prefix = String(decoding: text.prefix(count), as: UTF8.self)
            #expect(throws: NoteKeyError.self, "\(count) bytes") { try SigningKey(secretText: prefix) }
        }
    }

    @Test func `a signing key's text makes the key again`() throws {
        let name = try #require(NoteKeyName("chat.example/λ"))
        let key = SigningKey(name: name, privateKey: .generate())
        let again = try SigningKey(secretText: key.secretText)
        #expect(again.verifierKey == key.verifierKey)
        let text = Array("text\n".utf8)
        #expect(again.sign(text) == key.sign(text))
        #expect(try VerifierKey(key.verifierKey.description) == key.verifierKey)
    }

    @Test(arguments: ["", " ", "a b", "a+b", "a\nb", "a\u{85}", "a\u{2028}b", "a\u{3000}", "\u{0}", "a\u{1f}"])
    func `what is no name of a key is refused`(text: String) { #expect(NoteKeyName(text) == nil) }

    @Test func `bytes that are no UTF-8 are no name, and names are one only if their bytes are`() {
        #expect(NoteKeyName(utf8: [0x61, 0xff]) == nil)
        #expect(NoteKeyName(utf8: [0xc3]) == nil)
        // The same letter composed and decomposed.
        #expect(NoteKeyName("\u{e9}") != NoteKeyName("e\u{301}"))
    }
}
