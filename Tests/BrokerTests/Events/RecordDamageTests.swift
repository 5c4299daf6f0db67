import Cryptography
import LMDB
import Testing

@testable import Broker

/// Bytes that are no record, no longer one, or one of a version to come.
@Suite struct RecordDamageTests {
    private static let stored = EventHeader.sample(.messageSent).record(
        payload: MessagePayload.encode(content: Array("안녕 👋".utf8), id: Array("id".utf8))
    )

    @Test func `every single flipped bit is found`() {
        for bit in 0..<Self.stored.count * 8 {
            var damaged = Self.stored
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(refusal(of: damaged) == .checksum, "bit \(bit)")
        }
    }

    @Test func `a flipped bit behind a checksum that wasn't looked at crashes nothing`() {
        for bit in 0..<(Self.stored.count - 4) * 8 {
            var damaged = Self.stored
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            // A changed length of the payload, an unknown type, a text that is no UTF-8: refused or read, not crashed
            // on.
            if let refusal = refusal(of: damaged, trusting: true) {
                #expect(refusal != .checksum, "bit \(bit)")
            }
        }
    }

    @Test func `every truncation is refused`() throws {
        for length in 0..<Self.stored.count {
            let refusal = refusal(of: Array(Self.stored.prefix(length)))
            #expect(refusal == (length < 96 ? .truncated : .checksum), "\(length) bytes")
        }
        let redacted = try Record(Self.stored.span, at: 1).redacted(with: SHA256())
        for length in 0..<redacted.count {
            #expect(refusal(of: Array(redacted.prefix(length))) != nil, "\(length) bytes of the redacted form")
        }
    }

    @Test func `a redacted record is exactly as long as its commitment needs`() throws {
        var header = EventHeader.sample(.messageSent).record(payload: [])
        header[3] |= Record.redactedBit
        for length in [16, 17, 31, 33, 48] {
            let bytes = sealed(Array(header.prefix(76)) + [UInt8](repeating: 1, count: length))
            #expect(refusal(of: bytes) == .truncated, "\(length) bytes")
        }
        let right = sealed(Array(header.prefix(76)) + [UInt8](repeating: 1, count: 32))
        #expect(refusal(of: right) == nil)
    }

    @Test func `formats, types and classes of a later version are named`() {
        for value in 0...255 as ClosedRange<UInt8> {
            if value != EventHeader.format {
                #expect(refusal(of: changed(at: 0, to: value)) == .unknownFormat(value))
            }
            if EventType(rawValue: value) == nil {
                #expect(refusal(of: changed(at: 1, to: value)) == .unknownType(value))
            }
            if PayloadClass(rawValue: value & 0x7f) == nil {
                #expect(refusal(of: changed(at: 3, to: value)) == .unknownPayloadClass(value))
            }
        }
    }

    @Test(arguments: EventType.allCases)
    func `a payload's version is one that this build knows`(type: EventType) throws {
        let known: ClosedRange<UInt8> = type == .userLoggedIn ? 1...2 : 1...1
        for version in 0...255 as ClosedRange<UInt8> {
            let bytes = EventHeader.sample(type, version: version).record(payload: [])
            let expected: RecordError? = known.contains(version) ? nil : .unknownVersion(type, version)
            #expect(refusal(of: bytes) == expected, "version \(version)")
        }
    }

    @Test(arguments: EventType.allCases)
    func `a payload that is no message of its type is refused, if the type has one`(type: EventType) throws {
        let truncated: [UInt8] = [0x0a, 200]
        let refusal = refusal(of: EventHeader.sample(type).record(payload: truncated))
        let hasPayload = try Sample.payloads().contains { $0.type == type && $0 != .empty(type) }
        #expect(refusal == (hasPayload ? .payload(type) : nil))
    }

    @Test(arguments: [
        RecordError.missing, .truncated, .checksum, .unknownFormat(9), .unknownType(99), .unknownPayloadClass(7),
        .unknownVersion(.messageSent, 3), .payload(.roomCreated),
    ])
    func `every error says something of its own`(error: RecordError) {
        #expect(!error.description.isEmpty)
        if case .unknownVersion = error { #expect(error.description.contains("version 3 of MessageSent")) }
        if case .payload = error { #expect(error.description == "the payload is no RoomCreated") }
    }

    private func changed(at index: Int, to value: UInt8) -> [UInt8] {
        var body = Array(Self.stored.dropLast(4))
        body[index] = value
        // Where the top bit says so the record is a redacted one, which has a length of its own.
        if index == 3, value & Record.redactedBit != 0 {
            body = Array(body.prefix(76)) + [UInt8](repeating: 0, count: 32)
        }
        return sealed(body)
    }

    private func sealed(_ body: [UInt8]) -> [UInt8] {
        var bytes = body
        bytes.append(littleEndian: CRC32C.checksum(body.span))
        return bytes
    }
}
