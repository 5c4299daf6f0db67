import Cryptography
import Testing

@testable import Broker

struct LeafEntryTests {
    private let record: [UInt8] = {
        let header = EventHeader(
            type: .messageSent,
            payloadClass: .content,
            milliseconds: 1_767_225_600_000,
            actor: AccountID(high: 1, low: 2),
            subject: AccountID(high: 3, low: 4),
            stream: StreamID(high: 5, low: 6),
            revision: 7,
            reference: 8
        )
        var bytes: [UInt8] = []
        Record.append(header: header, salt: (9, 10), payload: [1, 2, 3].span, to: &bytes)
        return bytes
    }()

    @Test func `an entry is read as the record wrote it, redacted or not`() throws {
        let hasher = SHA256()
        let whole = try Record(record.span, at: 11)
        let redacted = whole.redacted(with: hasher)
        for bytes in [record, redacted] {
            let read = try Record(bytes.span, at: 11)
            let written = read.leafEntry(with: hasher)
            let entry = try LeafEntry(written.span)
            #expect(entry.header == whole.header)
            #expect(entry.offset == 11)
            #expect(entry.commitment == whole.commitment(with: hasher))
        }
    }

    @Test func `what is no entry is refused`() throws {
        let entry = try Record(record.span, at: 11).leafEntry(with: SHA256())
        func refused(_ bytes: [UInt8]) -> RecordError? {
            do throws(RecordError) {
                _ = try LeafEntry(bytes.span)
                return nil
            } catch {
                return error
            }
        }
        #expect(refused(entry) == nil)
        #expect(refused(Array(entry.dropLast())) == .truncated)
        #expect(refused(entry + [0]) == .truncated)
        var changed = entry
        changed[3] |= 0x80
        #expect(refused(changed) == .unknownPayloadClass(0x81))
        changed = entry
        changed[0] = 2
        #expect(refused(changed) == .unknownFormat(2))
        changed[0] = 1
        changed[1] = 200
        #expect(refused(changed) == .unknownType(200))
    }
}
