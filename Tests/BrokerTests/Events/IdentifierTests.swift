import LMDB
import Testing

@testable import Broker

/// Ids as text, as bytes and in order, and the ones that are computed.
@Suite struct IdentifierTests {
    private static let samples = [
        Identifier.none, Identifier(high: 0, low: 1), Identifier(high: 1, low: 0), Identifier(high: .max, low: .max),
        Identifier(high: 0x0011_2233_4455_6677, low: 0x8899_aabb_ccdd_eeff),
    ]

    @Test(arguments: samples)
    func `an id is read back from its texts and its bytes`(id: Identifier) {
        #expect(id.description.count == 32)
        #expect(id.uuidText.count == 36)
        for text in [id.description, id.uuidText, id.description.uppercased(), id.uuidText.uppercased()] {
            #expect(Identifier(text) == id)
            #expect(Identifier(Substring(text)) == id)
        }
        var bytes: [UInt8] = [9]
        id.append(to: &bytes)
        let read = Identifier(bytes.span, at: 1)
        #expect(bytes.count == 17)
        #expect(read == id)
        var key = Key()
        key.append(id)
        let keyBytes = [UInt8](copying: key.span)
        #expect(keyBytes == Array(bytes.dropFirst()))
    }

    @Test func `texts are lower-case, with a UUID's hyphens where they belong`() {
        let id = Identifier(high: 0x0011_2233_4455_6677, low: 0x8899_aabb_ccdd_eeff)
        #expect(id.description == "00112233445566778899aabbccddeeff")
        #expect(id.uuidText == "00112233-4455-6677-8899-aabbccddeeff")
    }

    @Test(arguments: [
        "", "0", String(repeating: "0", count: 31), String(repeating: "0", count: 33),
        String(repeating: "0", count: 36),
        "0011223344556677-8899aabbccddeef", "0011223-34455-6677-8899-aabbccddeeff",
        "00112233-4455-6677-8899-aabbccddeefg",
        "00112233_4455_6677_8899_aabbccddeeff", "+0112233445566778899aabbccddeeff", " 0112233445566778899aabbccddeeff",
        "0x112233445566778899aabbccddeeff", "00112233445566778899aabbccddeef\u{0}", "0011223344556677889９aabbccddee",
        "00112233-4455-6677-8899-aabbccdd-eff", "------------------------------------",
    ])
    func `anything else is no id`(text: String) {
        #expect(Identifier(text) == nil)
    }

    @Test func `ids are ordered as their bytes`() {
        var random = SplitMix(seed: 1)
        let ids = Self.samples + (0..<100).map { _ in Identifier(high: random.next(), low: random.next() & 3) }
        func bytes(_ id: Identifier) -> [UInt8] {
            var bytes: [UInt8] = []
            id.append(to: &bytes)
            return bytes
        }
        for left in ids {
            for right in ids {
                #expect((left < right) == bytes(left).lexicographicallyPrecedes(bytes(right)), "\(left), \(right)")
                #expect((left == right) == (bytes(left) == bytes(right)))
            }
        }
    }

    /// Computed with Python's hashlib.
    @Test func `a conversation has one id, whoever asks`() throws {
        let one = try #require(Identifier("00112233445566778899aabbccddeeff"))
        let other = try #require(Identifier("0011223344556677fedcba9876543210"))
        #expect(StreamID.conversation(one, other).description == "98e083d7f4861a5617382191f7de9839")
        #expect(StreamID.conversation(other, one).description == "98e083d7f4861a5617382191f7de9839")
        #expect(StreamID.conversation(one, one).description == "4773d12e2371bb935b9a0f5439b4a1c3")
    }

    @Test func `a message id is known by the first half of its hash`() {
        let hashed = Identifier(hashingMessageID: Array("訊息-1".utf8).span)
        #expect(hashed.description == "7e58472f06b2c63d55c96138b70f051b")
    }

    @Test func `a random UUID says that it is one`() {
        for _ in 0..<100 {
            let text = Array(Identifier.randomUUID().uuidText)
            #expect(text[14] == "4")
            #expect("89ab".contains(text[19]))
        }
        #expect(Set((0..<1000).map { _ in Identifier.random() }).count == 1000)
        #expect(Set((0..<1000).map { _ in Identifier.randomUUID() }).count == 1000)
    }

    @Test func `a log is named by its id and epoch`() {
        let identity = LogIdentity(id: Identifier(high: 1, low: 2), epoch: 3)
        #expect(identity.description == "00000000000000010000000000000002.3")
        for epoch in [1, 2, 10, .max] as [UInt64] {
            let identity = LogIdentity(id: .random(), epoch: epoch)
            #expect(LogIdentity(identity.description) == identity)
        }
    }

    @Test(
        arguments: [
            "", ".", "1", ".1", "00000000000000010000000000000002", "00000000000000010000000000000002.",
            "00000000000000010000000000000002.0", "00000000000000010000000000000002.01",
            "00000000000000010000000000000002.+1", "00000000000000010000000000000002.-1",
            "00000000000000010000000000000002.1 ", " 00000000000000010000000000000002.1",
            "00000000000000010000000000000002.1.", "00000000000000010000000000000002..1",
            "00000000000000010000000000000002.18446744073709551616", "0000000000000001000000000000000A.1",
            "00000000-0000-0001-0000-000000000002.1", "0000000000000001000000000000000.1",
            "0000000000000001000000000000000g.1", "00000000000000010000000000000002.１",
        ]
    )
    func `what isn't printed so is no log's name`(text: String) { #expect(LogIdentity(text) == nil) }
}
