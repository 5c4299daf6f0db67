import Foundation
import LMDB
import Testing

@testable import Broker

/// Logs that are missing, of another version, full of holes or damaged: said so, never crashed on.
@Suite struct EventLogDamageTests {
    private static let contents = ["first", "second 🙂 zwei", "third", "fourth"]

    @Test func `a folder without a log can't be read, and says what to do`() throws {
        try withTemporaryFolder { path in
            let error = #expect(throws: EventLog.Unreadable.self) {
                try EventLog(directory: path + "/none", isReadOnly: true)
            }
            #expect(error?.description.contains("--data") == true)
            #expect(!FileManager.default.fileExists(atPath: path + "/none"))
        }
    }

    @Test func `an environment without a log's tables, or an empty file, holds no log`() throws {
        try withTemporaryFolder { path in
            do {
                _ = try Environment(path: path, options: .init(mapBytes: 1 << 20)).write { try $0.openTable("other") }
            }
            let error = #expect(throws: EventLog.Unreadable.self) { try EventLog(directory: path, isReadOnly: true) }
            #expect(error?.description.contains("holds no log") == true)
        }
        try withTemporaryFolder { path in
            #expect(FileManager.default.createFile(atPath: path + "/data.mdb", contents: Data()))
            #expect(throws: EventLog.Unreadable.self) { try EventLog(directory: path, isReadOnly: true) }
        }
    }

    @Test(arguments: [true, false])
    func `a newer layout is refused and left as it is`(isReadOnly: Bool) throws {
        try withTemporaryFolder { path in
            let key = Array("log".utf8)
            let value = [2] + [UInt8](repeating: 7, count: 40)
            try RawLog.change(path) { transaction, tables in
                try transaction.put(value.span, for: key.span, in: tables.metadata)
            }
            let error = #expect(throws: EventLog.Unreadable.self) {
                try EventLog(directory: path, mapBytes: 1 << 20, isReadOnly: isReadOnly)
            }
            #expect(error?.description.contains("newer") == true)
            try RawLog.change(path) { transaction, tables in
                let left = try #require(try transaction.bytes(of: key, in: tables.metadata))
                #expect(left == value)
            }
        }
    }

    @Test(arguments: [1, 2, 4] as [Offset])
    func `a hole is reported where it is`(hole: Offset) throws {
        try withTemporaryFolder { path in
            try write(path)
            try RawLog.change(path) { transaction, tables in
                let nothing: [UInt8] = []
                try transaction.put(nothing.span, for: 5, in: tables.events)
                var key: [UInt8] = []
                key.append(littleEndian: hole)
                #expect(try transaction.remove(key.span, from: tables.events))
            }
            let log = try EventLog(directory: path, mapBytes: 1 << 20)
            #expect(try damage(of: log, after: 0)?.offset == hole)
            #expect(try damage(of: log, after: 0)?.reason == .missing)
            #expect(try damage(of: log, after: hole - 1)?.offset == hole)
            #expect(throws: EventLog.Damaged.self) { try log.leafHash(at: hole) }
            #expect(try damage(of: log, after: hole)?.offset == 5)
        }
    }

    @Test func `a damaged byte on the disk is reported with its offset, and the rest is read`() throws {
        try withTemporaryFolder { path in
            try write(path)
            try flip("zwei", in: path + "/data.mdb")
            for isReadOnly in [true, false] {
                let log = try EventLog(directory: path, mapBytes: 1 << 20, isReadOnly: isReadOnly)
                #expect(log.head == 4)
                var read: [Offset] = []
                let damaged = #expect(throws: EventLog.Damaged.self) {
                    try log.read(after: 0) { record in
                        read.append(record.offset)
                        return true
                    }
                }
                #expect(read == [1])
                #expect(damaged?.offset == 2)
                #expect(damaged?.reason == .checksum)
                #expect(damaged?.description == "event 2: the record's checksum doesn't match: the file is damaged")
                #expect(try log.messages(after: 2).map(\.content) == ["third", "fourth"])
            }
        }
    }

    @Test func `readers of the newest look at a checksum once, all others and after a start every time`() throws {
        try withTemporaryFolder { path in
            do {
                let log = try EventLog(directory: path, mapBytes: 1 << 20)
                for content in Self.contents { try log.append(messages: [content]) }
                // Who begins later has looked at nothing before it.
                try log.readNewest(after: 2, limit: 1) { _ in true }
                try spoil(2, in: log)
                #expect(try damage(of: log, after: 0, newest: true)?.offset == 2)
                try log.append(messages: ["fifth"])
                #expect(try damage(of: log, after: 2, newest: true) == nil)
                try spoil(4, in: log)
                #expect(try damage(of: log, after: 2, newest: true)?.offset == 4, "not contiguous with what was read")
            }
            try withTemporaryFolder { path in
                let log = try EventLog(directory: path, mapBytes: 1 << 20)
                for content in Self.contents { try log.append(messages: [content]) }
                #expect(try damage(of: log, after: 0, newest: true) == nil)
                try spoil(3, in: log)
                #expect(try damage(of: log, after: 0, newest: true) == nil)
                #expect(try damage(of: log, after: 0)?.offset == 3)
            }
            let log = try EventLog(directory: path, mapBytes: 1 << 20)
            #expect(try damage(of: log, after: 2, newest: true)?.offset == 4)
        }
    }

    @Test func `a look at a checksum holds for the last 65,536 events`() throws {
        try withTemporaryFolder { path in
            let log = try EventLog(directory: path, mapBytes: 1 << 26)
            let count = EventLog.checkedEvents
            try log.append(messages: (0..<count).map { _ in "" })
            #expect(try damage(of: log, after: 0, newest: true) == nil)
            try spoil(1, in: log)
            #expect(try damage(of: log, after: 0, newest: true) == nil)
            try log.append(messages: [""])
            #expect(try damage(of: log, after: 0, newest: true)?.offset == 1)
        }
    }

    /// Changes a record so that its checksum is wrong.
    private func spoil(_ offset: Offset, in log: EventLog) throws {
        try log.environment.write { transaction in
            var key: [UInt8] = []
            key.append(littleEndian: offset)
            var bytes = try #require(try transaction.bytes(of: key, in: log.events))
            bytes[bytes.count - 1] ^= 1
            try transaction.put(bytes.span, for: offset, in: log.events)
        }
    }

    @Test func `a damaged last record neither keeps the log shut nor sets the clock`() throws {
        try withTemporaryFolder { path in
            try write(path)
            try RawLog.change(path) { transaction, tables in
                var bytes = EventHeader.sample(.messageSent).record(payload: [0x61])
                bytes[11] = 0xff
                try transaction.put(bytes.span, for: 4, in: tables.events)
            }
            let log = try EventLog(directory: path, mapBytes: 1 << 20)
            #expect(log.head == 4)
            #expect(log.lastMilliseconds == 0)
            try log.append(messages: ["fifth"], milliseconds: 9)
            #expect(try log.messages(after: 4).map(\.content) == ["fifth"])
            #expect(try damage(of: log, after: 0)?.offset == 4)
        }
    }

    @Test(arguments: [0, 1, 95])
    func `a record cut short is reported, whatever is left of it`(length: Int) throws {
        try withTemporaryFolder { path in
            try write(path)
            try RawLog.change(path) { transaction, tables in
                let cut = Array(EventHeader.sample(.messageSent).record(payload: []).prefix(length))
                for offset in [2, 4] as [Offset] { try transaction.put(cut.span, for: offset, in: tables.events) }
            }
            let log = try EventLog(directory: path, mapBytes: 1 << 20)
            #expect(log.head == 4)
            #expect(try damage(of: log, after: 0)?.reason == .truncated)
            #expect(try damage(of: log, after: 2)?.offset == 4)
        }
    }

    @Test func `a name whose id was damaged is an error`() throws {
        try withTemporaryFolder { path in
            try write(path)
            try RawLog.change(path) { transaction, tables in
                try transaction.put([1, 2, 3].span, for: Array("x".utf8).span, in: tables.names)
            }
            let log = try EventLog(directory: path, mapBytes: 1 << 20)
            #expect(throws: LMDBError.self) { try log.accountID(named: AccountName("x")) }
        }
    }

    private func write(_ path: String) throws {
        let log = try EventLog(directory: path, mapBytes: 1 << 20)
        for content in Self.contents { try log.append(messages: [content]) }
    }

    private func damage(
        of log: EventLog,
        after offset: Offset,
        newest: Bool = false
    ) throws -> EventLog.Damaged? {
        do {
            if newest {
                try log.readNewest(after: offset, limit: .max) { _ in true }
            } else {
                try log.read(after: offset) { _ in true }
            }
            return nil
        } catch let damaged as EventLog.Damaged {
            return damaged
        }
    }

    /// Flips a bit of each place in the file that reads `text`.
    private func flip(_ text: String, in file: String) throws {
        var data = try Data(contentsOf: URL(filePath: file))
        var places = 0
        while let range = data.range(of: Data(text.utf8)) {
            data[range.lowerBound] ^= 0x80
            places += 1
        }
        #expect(places > 0)
        let handle = try #require(FileHandle(forWritingAtPath: file))
        try handle.write(contentsOf: data)
        try handle.close()
    }
}
