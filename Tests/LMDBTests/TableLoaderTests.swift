import Foundation
import Testing

@testable import LMDB

/// Rows that are put in the order of their keys.
@Suite struct TableLoaderTests {
    /// Big-endian, so that they sort as their numbers do.
    private static func key(_ number: Int) -> [UInt8] {
        [UInt8(number >> 16 & 255), UInt8(number >> 8 & 255), UInt8(number & 255)]
    }

    private static func value(_ number: Int, _ salt: UInt8) -> [UInt8] {
        [UInt8](repeating: UInt8(truncatingIfNeeded: number) ^ salt, count: number % 300)
    }

    private static func load(
        _ numbers: some Sequence<Int>,
        salt: UInt8 = 0,
        _ transaction: inout WriteTransaction,
        _ table: Table
    ) throws {
        try transaction.load(table) { loader in
            for number in numbers { try loader.put(value(number, salt).span, for: key(number).span) }
        }
    }

    private static func rows(_ environment: Environment, _ table: Table) throws -> [[[UInt8]]] {
        var rows: [[[UInt8]]] = []
        try environment.read { transaction in
            try transaction.scan(table) { key, value in
                rows.append([[UInt8](copying: key), [UInt8](copying: value)])
                return true
            }
        }
        return rows
    }

    @Test(arguments: [nil, 1, 1000, 100_000] as [Int?])
    func `rows are there, appended or between others, in parts or at once`(partBytes: Int?) throws {
        try withTable { environment, table throws in
            try environment.write(inPartsOf: partBytes) { transaction in
                try Self.load(stride(from: 0, to: 6000, by: 3), &transaction, table)
                // Between those that are there, and in the place of some.
                try Self.load((0..<6000).filter { $0 % 5 < 2 }, salt: 9, &transaction, table)
            }
            let expected = (0..<6000).filter { $0 % 3 == 0 || $0 % 5 < 2 }
                .map { [Self.key($0), Self.value($0, $0 % 5 < 2 ? 9 : 0)] }
            #expect(try Self.rows(environment, table) == expected)
        }
    }

    @Test func `what is appended fills the pages`() throws {
        func fileBytes(startingAt starts: [Int]) throws -> Int {
            try withTable { environment, table throws in
                try environment.write { transaction in
                    for start in starts {
                        try Self.load(stride(from: start, to: 6000, by: starts.count), &transaction, table)
                    }
                }
                return try Self.fileBytes(environment)
            }
        }
        let appended = try fileBytes(startingAt: [0])
        let inserted = try fileBytes(startingAt: [2, 0, 1])
        #expect(10 * appended < 9 * inserted, "\(appended), \(inserted)")
    }

    private static func fileBytes(_ environment: Environment) throws -> Int {
        let file = try FileManager.default.attributesOfItem(atPath: environment.path + "/data.mdb")
        return try #require(file[.size] as? Int)
    }

    /// Streams of rows one behind the other, each of which grows by a run in every transaction.
    private static func grow(
        _ environment: Environment,
        _ table: Table,
        streams: Int,
        transactions: Int,
        run: Int,
        inRuns: Bool
    ) throws {
        for transaction in 0..<transactions {
            try environment.write { writing in
                try writing.load(table) { loader in
                    for stream in 0..<streams {
                        let first = stream << 16 + transaction * run
                        if inRuns { try loader.beginRun(at: key(first).span) }
                        for number in first..<first + run {
                            try loader.put([UInt8](repeating: 7, count: 250).span, for: key(number).span)
                        }
                    }
                }
            }
        }
    }

    @Test func `runs between other rows leave the pages full`() throws {
        func grownFileBytes(inRuns: Bool) throws -> Int {
            try withTable { environment, table throws in
                try Self.grow(environment, table, streams: 5, transactions: 200, run: 20, inRuns: inRuns)
                return try Self.fileBytes(environment)
            }
        }
        let (full, half) = (try grownFileBytes(inRuns: true), try grownFileBytes(inRuns: false))
        #expect(6 * full < 5 * half, "\(full), \(half)")
    }

    @Test(arguments: [1, 3, 8, 9, 20])
    func `runs lose and change nothing, whatever comes behind them`(run: Int) throws {
        try withTable { environment, table throws in
            try Self.grow(environment, table, streams: 7, transactions: 12, run: run, inRuns: true)
            let expected = (0..<7).flatMap { stream in (0..<12 * run).map { Self.key(stream << 16 + $0) } }
            #expect(try Self.rows(environment, table).map { $0[0] } == expected)
        }
    }

    @Test func `a run that goes on among the rows behind it puts them back first`() throws {
        try withTable { environment, table throws in
            try environment.write { try Self.load([1, 10, 11, 12], &$0, table) }
            try environment.write { transaction in
                try transaction.load(table) { loader in
                    try loader.beginRun(at: Self.key(5).span)
                    for number in [5, 6, 11, 13] {
                        try loader.put(Self.value(number, 3).span, for: Self.key(number).span)
                    }
                    try loader.beginRun(at: Self.key(2).span)
                    try loader.put(Self.value(2, 3).span, for: Self.key(2).span)
                    #expect(try loader.remove(Self.key(12).span))
                }
            }
            let expected = [(1, 0), (2, 3), (5, 3), (6, 3), (10, 0), (11, 3), (13, 3)] as [(Int, UInt8)]
            #expect(try Self.rows(environment, table) == expected.map { [Self.key($0.0), Self.value($0.0, $0.1)] })
        }
    }

    @Test func `an error leaves nothing, or the parts before it`() throws {
        struct Enough: Error {}
        for partBytes in [nil, 1] as [Int?] {
            try withTable { environment, table throws in
                #expect(throws: Enough.self) {
                    try environment.write(inPartsOf: partBytes) { transaction in
                        try Self.load(1..<4, &transaction, table)
                        try transaction.load(table) { _ in throw Enough() }
                    }
                }
                #expect(try environment.count(of: table) == (partBytes == nil ? 0 : 3))
                // The next one finds the environment free.
                try environment.write { try Self.load(7..<9, &$0, table) }
                #expect(try environment.count(of: table) == (partBytes == nil ? 2 : 5))
            }
        }
    }

    @Test func `a key that comes too late for appending is an error`() throws {
        try withTable { environment, table throws in
            #expect(throws: LMDBError.self) {
                try environment.write { transaction in try Self.load([2, 1], &transaction, table) }
            }
            #expect(try environment.count(of: table) == 0)
        }
    }

    @Test func `rows are removed among those that are put`() throws {
        try withTable { environment, table throws in
            try environment.write { try Self.load(0..<3000, &$0, table) }
            try environment.write { transaction in
                try transaction.load(table) { loader in
                    for number in 0..<4000 {
                        if number % 2 == 0 {
                            let wasThere = try loader.remove(Self.key(number).span)
                            #expect(wasThere == (number < 3000))
                        } else {
                            try loader.put(Self.value(number, 5).span, for: Self.key(number).span)
                        }
                    }
                }
            }
            let expected = (0..<4000).filter { $0 % 2 == 1 }.map { [Self.key($0), Self.value($0, 5)] }
            #expect(try Self.rows(environment, table) == expected)
        }
    }

    @Test func `no room for a part ends the transaction, and the environment goes on`() throws {
        try withTable(options: .init(mapBytes: 1 << 20, tables: 4)) { environment, table throws in
            #expect(throws: LMDBError.self) {
                try environment.write(inPartsOf: 64 << 10) { transaction in
                    try Self.load(0..<50_000, &transaction, table)
                }
            }
            #expect(try environment.count(of: table) > 0)
            #expect(try environment.value(of: Self.key(5), in: table) == Self.value(5, 0))
        }
    }
}
