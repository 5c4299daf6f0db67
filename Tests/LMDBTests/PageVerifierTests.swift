import Foundation
import Testing

@testable import LMDB

/// Files as LMDB writes them have no fault, and whatever is found without one can be read without danger.
@Suite struct PageVerifierTests {
    private static let options = Environment.Options(mapBytes: 64 << 20, tables: 4)
    private static let readOnly = Environment.Options(mapBytes: 64 << 20, tables: 4, isReadOnly: true)

    /// Writes and removes rows of all lengths in two tables, in many commits.
    private static func fill(_ environment: Environment, commits: Int, seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        for _ in 0..<commits {
            try environment.write { transaction in
                let numbered = try transaction.openTable("numbered", hasIntegerKeys: true)
                let named = try transaction.openTable("named")
                for _ in 0..<20 {
                    let long = Int.random(in: 0..<20, using: &random) == 0
                    let length = Int.random(in: 0..<(long ? 20_000 : 300), using: &random)
                    let value = [UInt8](repeating: 7, count: length)
                    let number = UInt64.random(in: 0..<2000, using: &random)
                    try transaction.put(value.span, for: number, in: numbered)
                    let name = Array("name \(UInt64.random(in: 0..<500, using: &random))".utf8)
                    if Bool.random(using: &random) {
                        try transaction.put(value.span, for: name.span, in: named)
                    } else {
                        try transaction.remove(name.span, from: named)
                    }
                }
            }
        }
    }

    /// Reads all that there is.
    private static func readAll(_ environment: Environment) throws {
        try environment.read { transaction in
            for (name, hasIntegerKeys) in [("numbered", true), ("named", false)] {
                let table = try transaction.openTable(name, hasIntegerKeys: hasIntegerKeys)
                var sum = 0
                try transaction.scan(table) { key, value in
                    for index in value.indices { sum &+= Int(value[index]) }
                    sum &+= key.count
                    return true
                }
            }
        }
    }

    private static func expectNoFault(_ environment: Environment) throws {
        let faults = try environment.verifyPages()
        #expect(faults == [])
    }

    @Test func `a new file, one after many commits, a copy and one written anew have no fault`() throws {
        try withTemporaryFolder { path in
            let environment = try Environment(path: path + "/a", options: Self.options)
            try Self.expectNoFault(environment)
            for seed in 1...20 as ClosedRange<UInt64> {
                try Self.fill(environment, commits: 20, seed: seed)
                try Self.expectNoFault(environment)
            }
            try FileManager.default.createDirectory(atPath: path + "/b", withIntermediateDirectories: false)
            try environment.copy(to: path + "/b")
            try Self.expectNoFault(Environment(path: path + "/b", options: Self.readOnly))
            try Self.expectNoFault(environment.rewrite(to: path + "/c"))
        }
    }

    @Test func `a writer beside it is no fault`() throws {
        try withTemporaryFolder { path in
            let environment = try Environment(path: path, options: Self.options)
            try Self.fill(environment, commits: 50, seed: 1)
            let writer = Thread { try? Self.fill(environment, commits: 400, seed: 2) }
            writer.start()
            repeat { try Self.expectNoFault(environment) } while !writer.isFinished
        }
    }

    @Test func `of one changed byte, wherever it is, either a fault is found or all can be read`() throws {
        try withTemporaryFolder { path in
            do {
                let environment = try Environment(path: path + "/a", options: Self.options)
                try Self.fill(environment, commits: 4, seed: 3)
            }
            let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path + "/a/data.mdb")))
            var random = SplitMix(seed: 4)
            let changed = path + "/b"
            try FileManager.default.createDirectory(atPath: changed, withIntermediateDirectories: false)
            var found = 0
            // The metas and the beginnings of pages are where it hurts; values are nobody's business here.
            for round in 0..<1500 {
                var bytes = whole
                let page = Int.random(in: 0..<bytes.count / 4096, using: &random)
                let place =
                    round.isMultiple(of: 3)
                    ? Int.random(in: 0..<8192, using: &random)
                    : page * 4096 + Int.random(in: 0..<(round.isMultiple(of: 2) ? 64 : 4096), using: &random)
                bytes[place] ^= UInt8(1) << UInt8.random(in: 0..<8, using: &random)
                try Data(bytes).write(to: URL(fileURLWithPath: changed + "/data.mdb"))
                do {
                    let environment = try Environment(path: changed, options: Self.readOnly, checksLength: false)
                    guard try environment.verifyPages(limit: 3).isEmpty else {
                        found += 1
                        continue
                    }
                    try Self.readAll(environment)
                } catch let error as LMDBError {
                    // A meta that LMDB itself won't have.
                    #expect(place < 8192, "byte \(place): \(error)")
                }
            }
            #expect(found > 100)
        }
    }

    @Test func `a file that was cut off is refused, and what is missing is said`() throws {
        try withTemporaryFolder { path in
            do {
                let environment = try Environment(path: path + "/a", options: Self.options)
                try Self.fill(environment, commits: 10, seed: 5)
            }
            let whole = try Data(contentsOf: URL(fileURLWithPath: path + "/a/data.mdb"))
            let cut = path + "/b"
            try FileManager.default.createDirectory(atPath: cut, withIntermediateDirectories: false)
            for length in stride(from: 2 * 4096, to: whole.count, by: 2048) {
                try whole.prefix(length).write(to: URL(fileURLWithPath: cut + "/data.mdb"))
                let faults = try Environment(path: cut, options: Self.readOnly, checksLength: false).verifyPages()
                do {
                    try Self.readAll(Environment(path: cut, options: Self.readOnly))
                    // Nothing but free pages was cut off.
                    #expect(faults == [])
                } catch let error as LMDBError {
                    #expect(error.isUnreadable && error.description.contains("cut off"))
                    #expect(faults.contains { $0.reason.contains("the file ends before") })
                }
            }
        }
    }
}
