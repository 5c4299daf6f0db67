import Cryptography
import LMDB
import Testing

@testable import Broker

/// The stored bytes of one event, computed by hand from docs/log-format.md with Python's hashlib and struct.
@Suite struct RecordLayoutTests {
    private static let header = EventHeader(
        type: .messageSent,
        payloadClass: .content,
        milliseconds: 0x0102_0304_0506_0708,
        actor: Identifier(high: 0x1011_1213_1415_1617, low: 0x1819_1a1b_1c1d_1e1f),
        subject: Identifier(high: 0x2021_2223_2425_2627, low: 0x2829_2a2b_2c2d_2e2f),
        stream: Identifier(high: 0x3031_3233_3435_3637, low: 0x3839_3a3b_3c3d_3e3f),
        revision: 0x1122_3344_5566_7788,
        reference: 0x0099_aabb_ccdd_eeff
    )
    private static let salt: (UInt64, UInt64) = (0x4041_4243_4445_4647, 0x4849_4a4b_4c4d_4e4f)
    private static let offset: Offset = 0x001f_2e3d_4c5b_6a79

    private static let headerBytes = bytes(
        hex: """
            01 05 01 01  0807060504030201
            101112131415161718191a1b1c1d1e1f 202122232425262728292a2b2c2d2e2f 303132333435363738393a3b3c3d3e3f
            8877665544332211 ffeeddccbbaa9900
            """
    )
    private static let payloadBytes = bytes(hex: "0a08 e4bda0e5a5bd2078 1202 6d31")
    private static let stored =
        headerBytes + bytes(hex: "404142434445464748494a4b4c4d4e4f") + payloadBytes + bytes(hex: "e0e2e6e1")
    private static let commitment = bytes(hex: "cb6f0e4e1c36c0ef780a271cd4ac78e046af920ba03f9a57eef4dc3cd4be6db3")
    private static let entry = headerBytes + bytes(hex: "001f2e3d4c5b6a79") + commitment
    private static let leafHash = "450112433e3f34103de8b5e335fa03b37dd1130623200958cb01d45b596e122f"
    private static let redacted: [UInt8] = {
        var header = headerBytes
        header[3] = 0x81
        return header + commitment + bytes(hex: "1a9b4eea")
    }()

    @Test func `an event is stored byte for byte as the format says`() throws {
        let payload = MessagePayload.encode(content: Array("你好 x".utf8), id: Array("m1".utf8))
        #expect(payload == Self.payloadBytes)
        #expect(Self.header.record(salt: Self.salt, payload: payload) == Self.stored)
    }

    @Test func `the format's bytes are read as the event`() throws {
        let record = try Record(Self.stored.span, at: Self.offset)
        let read = (header: record.header, offset: record.offset, isRedacted: record.isRedacted)
        let payload = [UInt8](copying: record.payload)
        let decoded = try record.decodePayload()
        #expect(read == (Self.header, Self.offset, false))
        #expect(payload == Self.payloadBytes)
        #expect(decoded == .messageSent(content: "你好 x", id: "m1"))
    }

    @Test func `commitment, leaf entry and leaf hash are those of the format`() throws {
        let record = try Record(Self.stored.span, at: Self.offset)
        let hasher = SHA256()
        let commitment = record.commitment(with: hasher).bytes
        let entry = record.leafEntry(with: hasher)
        let hash = record.leafHash(with: hasher).description
        #expect(commitment.indices.map { commitment[$0] } == Self.commitment)
        #expect(entry.count == 116)
        #expect(entry == Self.entry)
        #expect(hash == Self.leafHash)
    }

    @Test func `redacted, an event is stored as the format says and its leaf is the same`() throws {
        let hasher = SHA256()
        let redacted = try Record(Self.stored.span, at: Self.offset).redacted(with: hasher)
        #expect(redacted == Self.redacted)

        let record = try Record(redacted.span, at: Self.offset)
        let read = (header: record.header, isRedacted: record.isRedacted, payloadLength: record.payload.count)
        let entry = record.leafEntry(with: hasher)
        let hash = record.leafHash(with: hasher).description
        let again = record.redacted(with: hasher)
        let decoded = try record.decodePayload()
        #expect(read == (Self.header, true, 0))
        #expect(entry == Self.entry)
        #expect(hash == Self.leafHash)
        #expect(again == redacted)
        #expect(decoded == .redacted(.messageSent))
    }

    @Test func `a leaf depends on its offset and on every byte of the header, salt and payload`() throws {
        let hasher = SHA256()
        var hashes: Set<Digest> = [try Record(Self.stored.span, at: Self.offset + 1).leafHash(with: hasher)]
        hashes.insert(try Record(Self.stored.span, at: Self.offset).leafHash(with: hasher))
        var changes = 0
        for index in 2..<Self.stored.count - 4 where index != 3 {
            var changed = Self.stored
            changed[index] ^= 0x10
            hashes.insert(try Record(trusting: changed.span, at: Self.offset).leafHash(with: hasher))
            changes += 1
        }
        #expect(hashes.count == changes + 2)
    }
}
