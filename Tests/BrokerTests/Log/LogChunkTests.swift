import Cryptography
import LMDB
import Testing

@testable import Broker

/// Events copied out of the log: the same as in it, in pieces.
@Suite struct LogChunkTests {
    private var hasher: SHA256 { SHA256() }

    private func withLog(_ body: (EventLog) throws -> Void) throws {
        try withTemporaryFolder { try body(EventLog(directory: $0, mapBytes: 16 << 20)) }
    }

    private func chunk(_ log: EventLog, after offset: Offset = 0, _ types: EventTypes = []) throws -> LogChunk {
        try LogChunk(of: log, after: offset, committing: types, with: hasher)
    }

    private func offsets(
        _ chunk: LogChunk,
        after offset: Offset = 0,
        upTo last: Offset = .max,
        of types: EventTypes = .all
    ) throws -> (read: [Offset], passed: Offset) {
        var read: [Offset] = []
        let passed = try chunk.read(after: offset, upTo: last, of: types) { record in
            read.append(record.offset)
            return true
        }
        return (read, passed)
    }

    @Test(arguments: [[], [.messageSent], [.messageEdited]] as [EventTypes])
    func `its records are those of the log, commitments included`(types: EventTypes) throws {
        try withLog { log in
            try log.append(messages: Sample.texts)
            var expected: [[UInt8]] = []
            try log.read(after: 0) { record in
                expected.append([UInt8](copying: record.bytes) + [UInt8](copying: record.leafEntry(with: hasher).span))
                return true
            }
            var found: [[UInt8]] = []
            _ = try chunk(log, types).read(after: 0, upTo: .max, of: .all) { record in
                found.append([UInt8](copying: record.bytes) + [UInt8](copying: record.leafEntry(with: hasher).span))
                return true
            }
            #expect(found == expected)
        }
    }

    @Test func `any part of it is read, other types are passed`() throws {
        try withLog { log in
            try log.append(messages: ["a", "b", "c", "d"])
            let chunk = try chunk(log, after: 1)
            #expect(chunk.first == 2 && chunk.last == 4)
            for offset in 0...6 as ClosedRange<Offset> { #expect(chunk.covers(offset) == (2...4 ~= offset)) }
            #expect(try offsets(chunk, after: 1) == ([2, 3, 4], 4))
            #expect(try offsets(chunk, after: 2, upTo: 3) == ([3], 3))
            #expect(try offsets(chunk, after: 1, of: [.messagesRead]) == ([], 4))
            #expect(try offsets(chunk, after: 1, upTo: 3, of: [.messagesRead]) == ([], 3))
            #expect(try chunk.read(after: 1, upTo: .max, of: .all) { _ in false } == 2)
            let beyond = try self.chunk(log, after: 4)
            #expect(beyond.isEmpty && beyond.last == 4 && !beyond.covers(5))
        }
    }

    /// 1,024 events, or the one that fills 256 KiB.
    @Test func `it ends when it is full`() throws {
        try withLog { log in
            try log.append(messages: (0..<1024).map { "\($0)" })
            #expect(try chunk(log).last == 1024)
            try log.append(messages: ["1024"])
            #expect(try chunk(log).last == 1024)
            #expect(try chunk(log, after: 1).last == 1025)
        }
        try withLog { log in
            try log.append(messages: Array(repeating: String(repeating: "x", count: 65_000), count: 6))
            var bytes = 0
            try log.read(after: 0, limit: 5) { record in
                bytes += record.bytes.count
                return true
            }
            #expect(bytes > 256 << 10)
            #expect(try chunk(log).last == 5)
            #expect(try chunk(log, after: 5).last == 6)
        }
    }

    @Test(arguments: 1...3 as ClosedRange<Offset>)
    func `what can't be read is said where it is, after what can`(hole: Offset) throws {
        try withTemporaryFolder { path in
            do {
                let log = try EventLog(directory: path, mapBytes: 16 << 20)
                try log.append(messages: ["a", "b", "c"])
            }
            try RawLog.change(path) { transaction, tables in
                let nothing: [UInt8] = []
                try transaction.put(nothing.span, for: hole, in: tables.events)
            }
            let log = try EventLog(directory: path, mapBytes: 16 << 20)
            let chunk = try chunk(log)
            #expect(!chunk.isEmpty && chunk.covers(hole) && !chunk.covers(hole + 1))
            if hole > 1 { #expect(try offsets(chunk, upTo: hole - 1).passed == hole - 1) }
            var read: [Offset] = []
            let damaged = #expect(throws: EventLog.Damaged.self) {
                try chunk.read(after: 0, upTo: hole, of: .all) { record in
                    read.append(record.offset)
                    return true
                }
            }
            #expect(damaged?.offset == hole && damaged?.reason == .truncated)
            #expect(read == Array(1..<hole))
        }
    }
}
