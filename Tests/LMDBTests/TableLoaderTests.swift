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
                let file = try FileManager.default.attributesOfItem(atPath: environment.path + "/data.mdb")
                return try #require(file[.size] as? Int)
            }
        }
        let appended = try fileBytes(startingAt: [0])
        let inserted = try fileBytes(startingAt: [2, 0, 1])
        #expect(10 * appended < 9 * inserted, "\(appended), \(inserted)")
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
