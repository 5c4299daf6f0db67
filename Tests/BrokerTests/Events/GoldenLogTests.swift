import Cryptography
import Foundation
import LMDB
import Testing

@testable import Broker

/// What was stored by the first release is read as it was then.
@Suite struct GoldenLogTests {
    @Test func `the golden logs have every type of event, old versions and redacted records`() throws {
        let expectations = try GoldenLog.allCases.flatMap { try $0.expectations() }
        #expect(Set(expectations.map(\.type)) == Set(EventType.allCases.map(\.name)))
        #expect(expectations.contains { $0.type == "UserLoggedIn" && $0.version == 1 })
        #expect(expectations.contains { $0.type == "UserLoggedIn" && $0.version == 2 })
        #expect(expectations.contains { $0.isRedacted })
        #expect(Set(expectations.map(\.payloadClass)) == [0, 1, 2, 3])
    }

    @Test(arguments: GoldenLog.allCases)
    func `every record says what it said when it was written`(golden: GoldenLog) throws {
        let records = try golden.records()
        let expectations = try golden.expectations()
        #expect(records.count == expectations.count)
        for (index, (record, expected)) in zip(records, expectations).enumerated() {
            #expect(try GoldenLog.Expectation(of: record, at: Offset(index + 1)) == expected)
        }
    }

    @Test(arguments: GoldenLog.allCases)
    func `offsets, revisions and times are as a log has them`(golden: GoldenLog) throws {
        var revisions: [String: UInt64] = [:]
        var milliseconds: UInt64 = 0
        for (index, event) in try golden.expectations().enumerated() {
            #expect(event.offset == Offset(index + 1))
            #expect(event.revision == revisions[event.stream, default: 0] + 1)
            #expect(event.milliseconds >= milliseconds)
            revisions[event.stream] = event.revision
            milliseconds = event.milliseconds
        }
    }

    @Test(arguments: GoldenLog.allCases)
    func `stored again, every event has the same bytes and the same leaf`(golden: GoldenLog) throws {
        let originals = try golden.records()
        try withTemporaryFolder { path in
            let log = try EventLog(directory: path, mapBytes: 16 << 20)
            var batch = EventBatch(first: 1)
            for bytes in originals {
                let record = try Record(bytes.span, at: batch.next)
                // The salt of a redacted record is gone: its place is taken by an event that nobody looks at.
                let salt = (
                    bytes.span.bigEndian(at: 76, as: UInt64.self), bytes.span.bigEndian(at: 84, as: UInt64.self)
                )
                batch.append(header: record.header, salt: salt, payload: record.payload)
            }
            try log.append(batch)
            var stored: [[UInt8]] = []
            try log.read(after: 0) { record in
                stored.append([UInt8](copying: record.bytes))
                return true
            }
            #expect(stored.count == originals.count)
            for (event, bytes) in zip(try golden.expectations(), zip(stored, originals)) where !event.isRedacted {
                #expect(bytes.0 == bytes.1, "event \(event.offset)")
                #expect(try log.leafHash(at: event.offset)?.description == event.leafHash, "event \(event.offset)")
            }
        }
    }

    @Test(arguments: GoldenLog.allCases)
    func `the raw records are a log that can be opened, followed and appended to`(golden: GoldenLog) throws {
        let originals = try golden.records()
        let expectations = try golden.expectations()
        try withTemporaryFolder { path in
            try RawLog.write(originals, into: path)
            let log = try EventLog(directory: path, mapBytes: 16 << 20)
            #expect(log.head == Offset(originals.count))
            #expect(log.lastMilliseconds == expectations.last?.milliseconds)
            var read: [[UInt8]] = []
            try log.read(after: 0) { record in
                read.append([UInt8](copying: record.bytes))
                return true
            }
            #expect(read == originals)
            for event in expectations {
                #expect(try log.leafHash(at: event.offset)?.description == event.leafHash, "event \(event.offset)")
            }
            var batch = EventBatch(first: log.head + 1)
            let payload = MessagePayload.encode(content: [0x61])
            batch.append(header: .sample(.messageSent), salt: (1, 2), payload: payload.span)
            try log.append(batch)
            #expect(log.head == Offset(originals.count + 1))
        }
    }

    /// Encoders change nothing about what is written either, as long as the type has no newer version.
    @Test func `what was read, written anew, has the same bytes`() throws {
        var count = 0
        for (index, bytes) in try GoldenLog.allCases.flatMap({ try $0.records() }).enumerated() {
            let record = try Record(bytes.span, at: Offset(index + 1))
            let header = record.header
            let decoded = try record.decodePayload()
            // What was imported has fields besides those that messages here have.
            let isImported = decoded == .messageSent(content: "從舊系統來", id: "")
            guard !record.isRedacted, !isImported, header.version == EventPayload.currentVersion(of: header.type) else {
                continue
            }
            let salt = (bytes.span.bigEndian(at: 76, as: UInt64.self), bytes.span.bigEndian(at: 84, as: UInt64.self))
            #expect(header.record(salt: salt, payload: try decoded.encode()) == bytes, "event \(index + 1)")
            count += 1
        }
        #expect(count > 30)
    }

    @Test(.enabled(if: ProcessInfo.processInfo.environment["QUIPU_WRITE_GOLDEN"] == "1", "writes the golden log anew"))
    func `the golden log is written`() throws {
        // Those of `first` were written once and for ever.
        try GoldenLog.erasure.write(GoldenErasureGenerator().records)
        #expect(try GoldenLog.erasure.records() == GoldenErasureGenerator().records)
        #expect(try GoldenLog.first.records() == GoldenLogGenerator().records)
    }
}
