import Foundation
import LMDB
import Testing

/// An environment written anew has all rows and nothing else.
struct RewritingTests {
    private struct Row: Equatable {
        var key: [UInt8]
        var value: [UInt8]
    }

    private func rows(of table: Table, in environment: Environment) throws -> [Row] {
        var rows: [Row] = []
        try environment.read { transaction in
            try transaction.scan(table) { key, value in
                rows.append(Row(key: [UInt8](copying: key), value: [UInt8](copying: value)))
                return true
            }
        }
        return rows
    }

    @Test(arguments: [1, 500, 1 << 20])
    func `every table has the same rows under the same handle, in batches of any size`(batchBytes: Int) throws {
        try withTemporaryFolder { path in
            let old = try Environment(path: path + "/old", options: .init(mapBytes: 16 << 20, tables: 8))
            // In another order than that of their names.
            let (texts, numbers, empty) = try old.write { transaction in
                (
                    try transaction.openTable("texts"), try transaction.openTable("numbers", hasIntegerKeys: true),
                    try transaction.openTable("empty")
                )
            }
            var random = SplitMix(seed: 3)
            try old.write { transaction in
                for number in 0..<300 as Range<UInt64> {
                    let value = [UInt8](repeating: UInt8(number & 255), count: Int.random(in: 0..<5000, using: &random))
                    try transaction.put(value.span, for: number << 8, in: numbers)
                    try transaction.put(Array(value.prefix(40)).span, for: Array("\(number)".utf8).span, in: texts)
                }
            }
            let new = try old.rewrite(to: path + "/new", batchBytes: batchBytes)
            for table in [texts, numbers, empty] { #expect(try rows(of: table, in: new) == rows(of: table, in: old)) }
            #expect(try rows(of: numbers, in: new).count == 300)
            // It is an environment like any other.
            try new.write { try $0.put([1].span, for: 7, in: numbers) }
            #expect(try new.read { try $0.count(of: numbers) } == 301)
        }
    }

    /// Small values that are removed and large ones, whose pages LMDB writes and copies whole with whatever was in that
    /// memory before.
    @Test func `what was removed is in no page of the new file`() throws {
        try withTemporaryFolder { path in
            let old = try Environment(path: path + "/old", options: .init(mapBytes: 64 << 20, tables: 8))
            let table = try old.write { try $0.openTable("rows", hasIntegerKeys: true) }
            let secret = Array("SECRET".utf8)
            for round in 0..<40 as Range<UInt64> {
                try old.write { transaction in
                    for number in 0..<20 as Range<UInt64> {
                        let value = secret + [UInt8](repeating: 0x2e, count: 100)
                        try transaction.put(value.span, for: round << 8 | number, in: table)
                    }
                }
                try old.write { transaction in
                    for number in 0..<6 as Range<UInt64> {
                        let value = [UInt8](repeating: 0x4c, count: 2100 + 300 * Int(number) + Int(round))
                        try transaction.put(value.span, for: round << 8 | 0x80 | number, in: table)
                    }
                }
            }
            try old.write { transaction in
                for round in 0..<40 as Range<UInt64> {
                    for number in 0..<20 as Range<UInt64> {
                        let key = round << 8 | number
                        let bytes = (0..<8).map { UInt8(truncatingIfNeeded: key >> (8 * UInt64($0))) }
                        try transaction.remove(bytes.span, from: table)
                    }
                }
            }
            #expect(try rows(of: table, in: old).count == 240)
            #expect(try count(of: secret, in: path + "/old/data.mdb") > 0)
            let new = try old.rewrite(to: path + "/new")
            #expect(try rows(of: table, in: new) == rows(of: table, in: old))
            #expect(try count(of: secret, in: path + "/new/data.mdb") == 0)
        }
    }

    @Test func `an environment isn't written into one that is open`() throws {
        try withTemporaryFolder { path in
            let old = try Environment(path: path + "/old", options: .init(mapBytes: 1 << 20))
            #expect(throws: LMDBError.self) { try old.rewrite(to: path + "/old") }
        }
    }

    private func count(of bytes: [UInt8], in file: String) throws -> Int {
        let data = try Data(contentsOf: URL(filePath: file))
        var count = 0
        var rest = data.startIndex..<data.endIndex
        while let found = data.range(of: Data(bytes), in: rest) {
            count += 1
            rest = found.upperBound..<data.endIndex
        }
        return count
    }
}
