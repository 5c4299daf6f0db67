import LMDB
import Testing

@testable import Broker

/// Events by their offsets, in one go.
@Suite struct EventLogOffsetsTests {
    private static let contents = ["one", "two", "three", "four", "five", "six"]

    private func contents(of offsets: [Offset], in log: EventLog, limit: Int = .max) throws -> [String] {
        var found: [String] = []
        var places: [Offset] = []
        try log.read(at: offsets) { record in
            places.append(record.offset)
            found.append(String(decoding: MessagePayload.content(of: record.payload)))
            return found.count < limit
        }
        #expect(places == Array(offsets.prefix(places.count)))
        return found
    }

    @Test(arguments: 0..<64)
    func `any choice of events is read, in order`(choice: Int) throws {
        try withTemporaryFolder { path in
            let log = try EventLog(directory: path, mapBytes: 1 << 20)
            try log.append(messages: Self.contents)
            let chosen = (0..<6).filter { choice & 1 << $0 != 0 }
            #expect(try contents(of: chosen.map { Offset($0) + 1 }, in: log) == chosen.map { Self.contents[$0] })
        }
    }

    @Test func `reading ends when its reader has enough`() throws {
        try withTemporaryFolder { path in
            let log = try EventLog(directory: path, mapBytes: 1 << 20)
            try log.append(messages: Self.contents)
            // The last isn't there, and isn't looked for.
            #expect(try contents(of: [2, 3, 99], in: log, limit: 2) == ["two", "three"])
        }
    }

    @Test func `a damaged event is reported when it is reached, and those before it are read`() throws {
        try withTemporaryFolder { path in
            try EventLog(directory: path, mapBytes: 1 << 20).append(messages: Self.contents)
            try RawLog.change(path) { transaction, tables in
                let bytes: [UInt8] = [1, 2, 3]
                try transaction.put(bytes.span, for: 4, in: tables.events)
            }
            let log = try EventLog(directory: path, mapBytes: 1 << 20)
            var read: [Offset] = []
            let error = #expect(throws: EventLog.Damaged.self) {
                try log.read(at: [1, 3, 4, 5]) { record in
                    read.append(record.offset)
                    return true
                }
            }
            #expect(read == [1, 3])
            #expect(error?.offset == 4)
            #expect(error?.reason == .truncated)
            #expect(try contents(of: [3, 5], in: log) == ["three", "five"])
        }
    }

    private static let gaps: [(offsets: [Offset], missing: Offset)] = [
        ([1, 2, 7], 7), ([0], 0), ([.max], .max), ([3, 4, 5], 4), ([1, 4], 4),
    ]

    @Test(arguments: gaps)
    func `an event that isn't there is reported with its offset`(offsets: [Offset], missing: Offset) throws {
        try withTemporaryFolder { path in
            try EventLog(directory: path, mapBytes: 1 << 20).append(messages: Self.contents)
            try RawLog.change(path) { transaction, tables in
                var key: [UInt8] = []
                key.append(littleEndian: 4 as Offset)
                let wasThere = try transaction.remove(key.span, from: tables.events)
                #expect(wasThere)
            }
            let log = try EventLog(directory: path, mapBytes: 1 << 20)
            let error = #expect(throws: EventLog.Damaged.self) { try contents(of: offsets, in: log) }
            #expect(error?.offset == missing)
            #expect(error?.reason == .missing)
        }
    }
}
