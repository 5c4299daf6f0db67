import Foundation
import LMDB
import Testing

@testable import Broker

/// The log appended to, read, closed and opened again.
@Suite struct EventLogTests {
    @Test func `a new log is empty and has an identity of its own`() throws {
        try withTemporaryFolder { path in
            let log = try EventLog(directory: path + "/one", mapBytes: 1 << 20)
            #expect(log.head == 0)
            #expect(log.lastMilliseconds == 0)
            #expect(log.identity.epoch == 1)
            #expect(try log.messages().isEmpty)
            #expect(try log.leafHash(at: 1) == nil)
            let other = try EventLog(directory: path + "/other", mapBytes: 1 << 20)
            #expect(other.identity.id != log.identity.id)
        }
    }

    @Test func `what was appended is read back by offset, in order and in slices`() throws {
        try withLog { log in
            try log.append(messages: Sample.texts)
            try log.append(messages: ["last"])
            let expected = Sample.texts + ["last"]
            let count = Offset(expected.count)
            #expect(log.head == count)
            #expect(try log.messages().map(\.content) == expected)
            #expect(try log.messages().map(\.offset) == Array(1...count))
            for start in 0...count + 1 {
                #expect(try log.messages(after: start).map(\.content) == Array(expected.dropFirst(Int(start))))
                for limit in 0...3 {
                    let slice = try log.messages(after: start, limit: limit)
                    #expect(slice.map(\.content) == Array(expected.dropFirst(Int(start)).prefix(limit)))
                }
            }
            #expect(try log.messages(after: .max).isEmpty)
            #expect(try log.messages(after: .max - 1).isEmpty)
        }
    }

    @Test func `a reader stops when it has enough, and its error comes out`() throws {
        struct Enough: Error {}
        try withLog { log in
            try log.append(messages: ["a", "b", "c"])
            var seen = 0
            try log.read(after: 0) { _ in
                seen += 1
                return seen < 2
            }
            #expect(seen == 2)
            #expect(throws: Enough.self) { try log.read(after: 0) { _ in throw Enough() } }
        }
    }

    @Test func `one event is found by its offset`() throws {
        try withLog { log in
            try log.append(messages: ["a", "b"])
            for offset in 0...4 as ClosedRange<Offset> {
                let revision = try log.withRecord(at: offset) { $0.header.revision }
                #expect(revision == ((1...2).contains(offset) ? offset : nil))
                #expect(try (log.leafHash(at: offset) == nil) == (revision == nil))
            }
            #expect(try log.withRecord(at: .max) { $0.offset } == nil)
            #expect(try log.leafHash(at: 1) != log.leafHash(at: 2))
        }
    }

    @Test func `reopened, it has the same identity, head, time and names`() throws {
        try withTemporaryFolder { path in
            let name = try AccountName("小明")
            let identity: LogIdentity
            do {
                let log = try EventLog(directory: path, mapBytes: 1 << 20)
                identity = log.identity
                try log.append(messages: ["a", "b"], milliseconds: 7)
                var batch = EventBatch(first: 3)
                batch.append(header: .sample(.guestSeen), salt: (1, 2), payload: [0x61].span)
                batch.claim(name, for: Sample.id(9))
                try log.append(batch)
                #expect(try log.accountID(named: name) == Sample.id(9))
            }
            for isReadOnly in [true, false] {
                let log = try EventLog(directory: path, mapBytes: 1 << 20, isReadOnly: isReadOnly)
                #expect(log.identity == identity)
                #expect(log.isReadOnly == isReadOnly)
                #expect(log.head == 3)
                #expect(log.lastMilliseconds == EventHeader.sample(.guestSeen).milliseconds)
                #expect(try log.accountID(named: name) == Sample.id(9))
                #expect(try log.accountID(named: AccountName("小")) == nil)
            }
        }
    }

    @Test func `a batch that doesn't fit leaves nothing behind`() throws {
        try withTemporaryFolder { path in
            let log = try EventLog(directory: path, mapBytes: 256 << 10)
            try log.append(messages: ["a"])
            let error = #expect(throws: LMDBError.self) {
                try log.append(messages: [String](repeating: String(repeating: "x", count: 4000), count: 200))
            }
            #expect(error?.isOutOfSpace == true)
            #expect(log.head == 1)
            try log.append(messages: ["b"])
            #expect(try log.messages().map(\.content) == ["a", "b"])
        }
    }

    @Test func `a batch must continue the log`() async {
        await #expect(processExitsWith: .failure) {
            try withTemporaryFolder { path in
                let log = try EventLog(directory: path, mapBytes: 1 << 20)
                var batch = EventBatch(first: 2)
                batch.append(header: .sample(.guestSeen), salt: (1, 2), payload: [0x61].span)
                try log.append(batch)
            }
        }
    }

    @Test func `the offset at a time is found by halving`() throws {
        try withLog { log in
            for milliseconds in [10, 20, 20, 30] as [UInt64] {
                try log.append(messages: ["x"], milliseconds: milliseconds)
            }
            let expected: [(UInt64, Offset)] = [(0, 0), (9, 0), (10, 1), (19, 1), (20, 3), (29, 3), (30, 4), (.max, 4)]
            for (milliseconds, offset) in expected { #expect(try log.offset(atOrBefore: milliseconds) == offset) }
        }
        try withLog { log throws in #expect(try log.offset(atOrBefore: 5) == 0) }
    }

    /// The writer is another process, as a server is beside a command that reads.
    @Test func `a reader beside a writer sees what is appended when it looks again`() async throws {
        try await withTemporaryFolder { path in
            do { try EventLog(directory: path, mapBytes: 1 << 20).append(messages: ["a"], milliseconds: 5) }
            let reader = try EventLog(directory: path, mapBytes: 1 << 20, isReadOnly: true)
            #expect(reader.head == 1)
            await #expect(processExitsWith: .success) { [path = path as String] in
                try EventLog(directory: path, mapBytes: 1 << 20).append(messages: ["b", "c"], milliseconds: 6)
            }
            #expect(reader.head == 1)
            #expect(try reader.refreshHead() == 3)
            #expect(reader.head == 3)
            #expect(reader.lastMilliseconds == 6)
            #expect(try reader.messages().map(\.content) == ["a", "b", "c"])
        }
    }

    private func withLog(_ body: (EventLog) throws -> Void) throws {
        try withTemporaryFolder { try body(EventLog(directory: $0, mapBytes: 4 << 20)) }
    }
}
