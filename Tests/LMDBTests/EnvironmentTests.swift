import Foundation
import Synchronization
import Testing

@testable import LMDB

/// Opening, committing, throwing, growing and copying.
@Suite struct EnvironmentTests {
    private struct Unwanted: Error {}

    @Test func `what was committed is there after a reopening`() throws {
        try withTemporaryFolder { path in
            do {
                let environment = try Environment(path: path, options: .init(mapBytes: 1 << 20, tables: 4))
                let table = try environment.write { try $0.openTable("rows") }
                try environment.put([1], for: [1], in: table)
            }
            let environment = try Environment(path: path, options: .init(mapBytes: 1 << 20, tables: 4))
            let table = try environment.read { try $0.openTable("rows") }
            #expect(try environment.value(of: [1], in: table) == [1])
        }
    }

    @Test func `a transaction that throws changes nothing`() throws {
        try withTable { environment, table in
            try environment.put([1], for: [1], in: table)
            #expect(throws: Unwanted.self) {
                try environment.write { transaction in
                    try transaction.put([2].span, for: [1].span, in: table)
                    try transaction.put([2].span, for: [2].span, in: table)
                    _ = try transaction.openTable("other")
                    throw Unwanted()
                }
            }
            #expect(try environment.value(of: [1], in: table) == [1])
            #expect(try environment.value(of: [2], in: table) == nil)
            let missing = #expect(throws: LMDBError.self) { try environment.read { _ = try $0.openTable("other") } }
            #expect(missing?.isMissing == true)
            try environment.put([3], for: [3], in: table)
            #expect(try environment.count(of: table) == 2)
        }
    }

    @Test func `a snapshot doesn't see what is committed after it began`() throws {
        try withTable { environment, table in
            try environment.put([1], for: [1], in: table)
            try environment.read { snapshot in
                try environment.put([2], for: [1], in: table)
                let value = try snapshot.value(of: [1].span, in: table)
                #expect(value?[0] == 1)
            }
            #expect(try environment.value(of: [1], in: table) == [2])
        }
    }

    @Test func `a second open of one environment is refused, by any name`() throws {
        try withTemporaryFolder { path in
            let options = Environment.Options(mapBytes: 1 << 20, tables: 4)
            do {
                let first = try Environment(path: path, options: options)
                let link = path + "-link"
                try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
                defer { try? FileManager.default.removeItem(atPath: link) }
                for name in [path, path + "/", path + "/../" + (path as NSString).lastPathComponent, link] {
                    let error = #expect(throws: LMDBError.self, "\(name)") {
                        try Environment(path: name, options: options)
                    }
                    #expect(error?.code == EBUSY)
                }
                _ = try first.write { try $0.openTable("rows") }
            }
            let again = try Environment(path: path, options: options)
            _ = try again.read { try $0.openTable("rows") }
        }
    }

    @Test func `an environment that is not there can't be opened for reading, nor tried twice in vain`() throws {
        try withTemporaryFolder { path in
            for _ in 0..<2 {
                let error = #expect(throws: LMDBError.self) {
                    try Environment(path: path + "/none", options: .init(isReadOnly: true))
                }
                #expect(error?.isMissing == true)
            }
            #expect(!FileManager.default.fileExists(atPath: path + "/none"))
            _ = try Environment(path: path + "/none", options: .init(mapBytes: 1 << 20))
            #expect(FileManager.default.fileExists(atPath: path + "/none/data.mdb"))
        }
    }

    @Test func `what is no environment is called unreadable`() throws {
        try withTemporaryFolder { path in
            let noise = Data((0..<8192).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ 3) })
            #expect(FileManager.default.createFile(atPath: path + "/data.mdb", contents: noise))
            let error = #expect(throws: LMDBError.self) {
                try Environment(path: path, options: .init(mapBytes: 1 << 20))
            }
            #expect(error?.isUnreadable == true)
        }
    }

    @Test func `an environment opened for reading refuses to be written`() throws {
        try withTemporaryFolder { path in
            do {
                let writer = try Environment(path: path, options: .init(mapBytes: 1 << 20))
                let table = try writer.write { try $0.openTable("rows") }
                try writer.put([1], for: [1], in: table)
            }
            let reader = try Environment(path: path, options: .init(mapBytes: 1 << 20, isReadOnly: true))
            let table = try reader.read { try $0.openTable("rows") }
            #expect(try reader.value(of: [1], in: table) == [1])
            let error = #expect(throws: LMDBError.self) { try reader.put([2], for: [1], in: table) }
            #expect(error?.code == EACCES)
            #expect(try reader.value(of: [1], in: table) == [1])
        }
    }

    @Test func `a full map refuses a transaction whole and goes on`() throws {
        try withTable(options: .init(mapBytes: 256 << 10, tables: 4)) { environment, table in
            try environment.put([1], for: [1], in: table)
            let error = #expect(throws: LMDBError.self) {
                try environment.write { transaction in
                    for number in 0..<1000 as Range<UInt64> {
                        var key = Key()
                        key.append(number)
                        try transaction.put([UInt8](repeating: 2, count: 1000).span, for: key.span, in: table)
                    }
                }
            }
            #expect(error?.isOutOfSpace == true)
            #expect(try environment.count(of: table) == 1)
            #expect(try environment.value(of: [1], in: table) == [1])
            try environment.put([3], for: [2], in: table)
            #expect(try environment.value(of: [2], in: table) == [3])
        }
    }

    @Test func `a compacted copy holds the same rows`() throws {
        try withTemporaryFolder { path in
            try withTable { environment, table in
                for key in 1...200 as ClosedRange<UInt8> { try environment.put([key], for: [key], in: table) }
                try environment.copy(to: path)
            }
            let copy = try Environment(path: path, options: .init(mapBytes: 16 << 20))
            let table = try copy.read { try $0.openTable("rows") }
            #expect(try copy.count(of: table) == 200)
            for key in 1...200 as ClosedRange<UInt8> { #expect(try copy.value(of: [key], in: table) == [key]) }
        }
    }

    @Test func `an environment may be moved while it is open`() throws {
        try withTemporaryFolder { path in
            let options = Environment.Options(mapBytes: 1 << 20, isDurable: false)
            let environment = try Environment(path: path + "/old", options: options)
            let table = try environment.write { try $0.openTable("rows") }
            try environment.read { snapshot in
                try environment.move(to: path + "/new")
                #expect(try snapshot.count(of: table) == 0)
            }
            try environment.put([1], for: [1], in: table)
            try environment.flush()
            #expect(environment.path.hasSuffix("/new"))
            let error = #expect(throws: LMDBError.self) { try Environment(path: path + "/new", options: options) }
            #expect(error?.code == EBUSY)
            // The old name is free again.
            _ = try Environment(path: path + "/old", options: options)
        }
    }

    @Test func `a snapshot that is kept sees what was there, until it is let go of`() throws {
        try withTable { environment, table in
            try environment.put([1], for: [1], in: table)
            func read(_ transaction: borrowing ReadTransaction) throws -> UInt8? {
                try transaction.value(of: [1].span, in: table)?[0]
            }
            let snapshot = try environment.snapshot()
            try environment.put([2], for: [1], in: table)
            #expect(try read(snapshot) == 1)
            #expect(try read(environment.snapshot()) == 2)
        }
    }

    @Test func `many threads read while one writes`() throws {
        try withTable { environment, table in
            try environment.put([0, 0], for: [1], in: table)
            let torn = Atomic(0)
            DispatchQueue.concurrentPerform(iterations: 4) { worker in
                for round in 1...200 {
                    do {
                        if worker == 0 {
                            try environment.put([UInt8(round), UInt8(round)], for: [1], in: table)
                        } else {
                            let value = try environment.value(of: [1], in: table) ?? []
                            if value.count != 2 || value[0] != value[1] { torn.add(1, ordering: .relaxed) }
                        }
                    } catch {
                        torn.add(1, ordering: .relaxed)
                    }
                }
            }
            #expect(torn.load(ordering: .relaxed) == 0)
            #expect(try environment.value(of: [1], in: table) == [200, 200])
        }
    }
}
