import Foundation
import LMDB
import Testing

@testable import Broker

/// A backup that is put back goes on as a new epoch, and knows what it shares with those before.
@Suite struct LogEpochsTests {
    @Test func `a restored backup tells what it shares with the log that went on`() throws {
        try withTemporaryFolder { path in
            let (original, backup) = (path + "/original", path + "/backup")
            let old = try write(["a", "b", "c"], to: original)
            try copy(original, to: backup)
            #expect(try write(["lost", "lost too"], to: original) == old)

            let new = try EventLog.beginEpoch(directory: backup, mapBytes: 1 << 20)
            #expect(new == LogIdentity(id: old.id, epoch: 2))
            let log = try EventLog(directory: backup, mapBytes: 1 << 20)
            #expect(log.identity == new)
            #expect(log.head == 3)
            #expect(try log.messages().map(\.content) == ["a", "b", "c"])
            try log.append(messages: ["d", "e", "f"])
            #expect(log.lastShared(with: old) == 3)
            #expect(log.lastShared(with: new) == .max)
            #expect(log.lastShared(with: LogIdentity(id: .random(), epoch: 1)) == nil)
            #expect(log.lastShared(with: LogIdentity(id: .random(), epoch: 2)) == nil)
            // Of an epoch that is to come nothing is known, and of one that never was.
            #expect(log.lastShared(with: LogIdentity(id: old.id, epoch: 3)) == 0)
            #expect(log.lastShared(with: LogIdentity(id: old.id, epoch: .max)) == 0)
            #expect(log.lastShared(with: LogIdentity(id: old.id, epoch: 0)) == 0)

            let lost = try EventLog(directory: original, mapBytes: 1 << 20)
            #expect(lost.identity == old)
            #expect(lost.lastShared(with: old) == .max)
            #expect(lost.lastShared(with: new) == 0)
            #expect(try lost.leafHash(at: 3) == log.leafHash(at: 3))
            #expect(try lost.leafHash(at: 4) != log.leafHash(at: 4))
        }
    }

    /// Restored from a backup at 2, that went on to 6 and was restored from a backup at 4, and that one at its head.
    @Test func `over several restorations the first one since counts`() throws {
        try withTemporaryFolder { path in
            let (first, second) = (path + "/first", path + "/second")
            let identity = try write(["1", "2"], to: first)
            #expect(try EventLog.beginEpoch(directory: first, mapBytes: 1 << 20).epoch == 2)
            try write(["3", "4"], to: first)
            try copy(first, to: second)
            try write(["5", "6"], to: first)
            #expect(try EventLog.beginEpoch(directory: second, mapBytes: 1 << 20).epoch == 3)
            #expect(try EventLog.beginEpoch(directory: second, mapBytes: 1 << 20).epoch == 4)
            try write(["5'"], to: second)
            for isReadOnly in [true, false] {
                let log = try EventLog(directory: second, mapBytes: 1 << 20, isReadOnly: isReadOnly)
                #expect(log.identity == LogIdentity(id: identity.id, epoch: 4))
                let shared = (1...4).map { log.lastShared(with: LogIdentity(id: identity.id, epoch: $0)) }
                #expect(shared == [2, 4, 4, .max])
            }
        }
    }

    @Test func `an empty log can begin an epoch too`() throws {
        try withTemporaryFolder { path in
            let old = try write([], to: path)
            #expect(try EventLog.beginEpoch(directory: path, mapBytes: 1 << 20).epoch == 2)
            #expect(try EventLog(directory: path, mapBytes: 1 << 20).lastShared(with: old) == 0)
        }
    }

    @Test func `what holds no log gets none, and an open log goes on as it is`() throws {
        try withTemporaryFolder { path in
            #expect(throws: EventLog.Unreadable.self) { try EventLog.beginEpoch(directory: path + "/none") }
            #expect(!FileManager.default.fileExists(atPath: path + "/none"))
            do {
                _ = try Environment(path: path, options: .init(mapBytes: 1 << 20)).write { try $0.openTable("other") }
            }
            #expect(throws: EventLog.Unreadable.self) { try EventLog.beginEpoch(directory: path, mapBytes: 1 << 20) }
            #expect(throws: EventLog.Unreadable.self) { try EventLog(directory: path, isReadOnly: true) }

            let log = try EventLog(directory: path + "/log", mapBytes: 1 << 20)
            #expect(throws: LMDBError.self) { try EventLog.beginEpoch(directory: path + "/log", mapBytes: 1 << 20) }
            #expect(log.identity.epoch == 1)
        }
    }

    /// The first release wrote no row of epochs.
    @Test func `a log of one epoch has the metadata that it always had`() throws {
        try withTemporaryFolder { path in
            let identity = try write(["a"], to: path)
            try RawLog.change(path) { transaction, tables in
                #expect(try transaction.count(of: tables.metadata) == 1)
                let row = try #require(try transaction.bytes(of: Array("log".utf8), in: tables.metadata))
                #expect(Array(row.prefix(1)) == [1])
                #expect(Array(row.suffix(8)) == [1, 0, 0, 0, 0, 0, 0, 0])
                #expect(Identifier(row.span, at: 1) == identity.id)
                #expect(row.count == 25)
            }
            try EventLog.beginEpoch(directory: path, mapBytes: 1 << 20)
            try RawLog.change(path) { transaction, tables in
                let row = try transaction.bytes(of: Array("epochs".utf8), in: tables.metadata)
                #expect(row == bytes(hex: "0200000000000000 0100000000000000"))
            }
        }
    }

    /// Cut short, of another epoch than the log, gone.
    @Test(arguments: ["", "02000000", "0200000000000000 0100000000000000 00", "0300000000000000 0100000000000000", nil])
    func `epochs that are damaged are said to be`(hex: String?) throws {
        try withTemporaryFolder { path in
            try write(["a"], to: path)
            try EventLog.beginEpoch(directory: path, mapBytes: 1 << 20)
            try RawLog.change(path) { transaction, tables in
                let key = Array("epochs".utf8)
                if let hex {
                    try transaction.put(bytes(hex: hex).span, for: key.span, in: tables.metadata)
                } else {
                    #expect(try transaction.remove(key.span, from: tables.metadata))
                }
            }
            for isReadOnly in [true, false] {
                let error = #expect(throws: EventLog.Unreadable.self) {
                    try EventLog(directory: path, mapBytes: 1 << 20, isReadOnly: isReadOnly)
                }
                #expect(error?.description.contains("epochs") == true)
            }
        }
    }

    /// Appends messages to the log in `directory`, which is closed again.
    @discardableResult
    private func write(_ contents: [String], to directory: String) throws -> LogIdentity {
        let log = try EventLog(directory: directory, mapBytes: 1 << 20)
        for content in contents { try log.append(messages: [content]) }
        return log.identity
    }

    private func copy(_ directory: String, to other: String) throws {
        try FileManager.default.createDirectory(atPath: other, withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: directory + "/data.mdb", toPath: other + "/data.mdb")
    }
}
