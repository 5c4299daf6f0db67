import Testing

@testable import LMDB

/// Rows written, read, replaced and removed.
@Suite struct TableTests {
    @Test func `a row is read back, replaced and removed`() throws {
        try withTable { environment, table in
            #expect(try environment.value(of: [1], in: table) == nil)
            try environment.put([10, 11], for: [1], in: table)
            #expect(try environment.value(of: [1], in: table) == [10, 11])
            try environment.put([12], for: [1], in: table)
            #expect(try environment.value(of: [1], in: table) == [12])
            #expect(try environment.remove([1], from: table))
            #expect(try environment.value(of: [1], in: table) == nil)
            #expect(try environment.remove([1], from: table) == false)
        }
    }

    @Test func `an empty value is not a missing one`() throws {
        try withTable { environment, table in
            try environment.put([], for: [1], in: table)
            #expect(try environment.value(of: [1], in: table) == [])
            #expect(try environment.value(of: [2], in: table) == nil)
        }
    }

    @Test(arguments: [1, 511])
    func `keys of 1 to 511 bytes are taken`(length: Int) throws {
        try withTable { environment, table in
            let key = [UInt8](repeating: 7, count: length)
            try environment.put([1], for: key, in: table)
            #expect(try environment.value(of: key, in: table) == [1])
        }
    }

    @Test(arguments: [0, 512])
    func `other keys are refused and change nothing`(length: Int) throws {
        try withTable { environment, table throws in
            #expect(throws: LMDBError.self) {
                try environment.put([1], for: [UInt8](repeating: 7, count: length), in: table)
            }
            #expect(try environment.count(of: table) == 0)
        }
    }

    @Test func `values of many pages are read back`() throws {
        try withTable { environment, table in
            let long = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            try environment.put(long, for: [1], in: table)
            #expect(try environment.value(of: [1], in: table) == long)
        }
    }

    @Test func `integer keys sort as numbers, not as bytes`() throws {
        try withTable(hasIntegerKeys: true) { environment, table in
            let keys: [UInt64] = [256, 1, 255, UInt64(UInt32.max) + 1, .max, 0]
            for key in keys { try environment.put([UInt8(truncatingIfNeeded: key)], for: key, in: table) }
            var seen: [UInt64] = []
            try environment.read { transaction throws in
                try transaction.scan(table, from: 0) { key, value in
                    seen.append(key)
                    #expect(value[0] == UInt8(truncatingIfNeeded: key))
                    return true
                }
            }
            #expect(seen == keys.sorted())
            #expect(try environment.value(of: UInt64.max, in: table) == [255])
            #expect(try environment.value(of: 2, in: table) == nil)
            #expect(try environment.lastIntegerKey(in: table) == .max)
        }
    }

    @Test func `the least integer key from some key on is found`() throws {
        try withTable(hasIntegerKeys: true) { environment, table in
            for key in [3, 256, UInt64.max] { try environment.put([1], for: key, in: table) }
            try environment.read { transaction throws in
                for (start, found) in [(0, 3), (3, 3), (4, 256), (257, .max), (.max, .max)] as [(UInt64, UInt64)] {
                    #expect(try transaction.firstIntegerKey(in: table, from: start) == found)
                }
            }
            #expect(try environment.write { try $0.remove([3, 0, 0, 0, 0, 0, 0, 0].span, from: table) })
            #expect(try environment.read { try $0.firstIntegerKey(in: table, from: 0) } == 256)
        }
        try withTable(hasIntegerKeys: true) { environment, table throws in
            #expect(try environment.read { try $0.firstIntegerKey(in: table, from: 0) } == nil)
        }
    }

    @Test func `the last integer key of an empty table is none`() throws {
        try withTable(hasIntegerKeys: true) { environment, table throws in
            #expect(try environment.lastIntegerKey(in: table) == nil)
        }
    }

    @Test func `appending takes rising keys and refuses any other`() throws {
        try withTable(hasIntegerKeys: true) { environment, table in
            try environment.write { transaction in
                for key in [1, 2, 5] as [UInt64] { try transaction.put([1].span, for: key, in: table, mode: .append) }
            }
            for key in [5, 4, 0] as [UInt64] {
                #expect(throws: LMDBError.self, "key \(key)") {
                    try environment.write { try $0.put([2].span, for: key, in: table, mode: .append) }
                }
            }
            #expect(try environment.count(of: table) == 3)
            try environment.write { try $0.put([1].span, for: 6, in: table, mode: .append) }
            #expect(try environment.lastIntegerKey(in: table) == 6)
        }
        try withTable { environment, table in
            try environment.put([1], for: [5], in: table)
            #expect(throws: LMDBError.self) {
                try environment.write { try $0.put([1].span, for: [4].span, in: table, mode: .append) }
            }
        }
    }
}
