import Testing

@testable import LMDB

/// Scans in both directions, every bound of a small table, and against a model.
@Suite struct ScanTests {
    private static let keys: [UInt8] = [2, 4, 6]

    @Test(arguments: [nil] + (1...7).map(UInt8?.some))
    func `a scan begins at the first key that is not below its start`(start: UInt8?) throws {
        try withRows { environment, table in
            let found = try keys(of: environment, table, from: start.map { [$0] })
            #expect(found == Self.keys.filter { $0 >= start ?? 0 }.map { [$0] })
        }
    }

    @Test(arguments: [nil] + (1...7).map(UInt8?.some))
    func `a scan backwards begins at the last key below its end`(end: UInt8?) throws {
        try withRows { environment, table in
            let found = try keys(of: environment, table, before: end.map { [$0] })
            #expect(found == Self.keys.reversed().filter { $0 < end ?? .max }.map { [$0] })
        }
    }

    @Test(arguments: 0...7 as ClosedRange<UInt64>)
    func `a scan over integers begins at the first that is not below its start`(start: UInt64) throws {
        try withTable(hasIntegerKeys: true) { environment, table in
            for key in Self.keys { try environment.put([key], for: UInt64(key), in: table) }
            var found: [UInt64] = []
            try environment.read { transaction in
                try transaction.scan(table, from: start) { key, _ in
                    found.append(key)
                    return true
                }
            }
            #expect(found == Self.keys.map(UInt64.init).filter { $0 >= start })
        }
    }

    @Test(arguments: 0..<64 as Range<UInt64>)
    func `values are found at any ascending keys, neighbours or not, there or not`(wanted: UInt64) throws {
        try withTable(hasIntegerKeys: true) { environment, table in
            // There: 1, 2, 3 and 5.
            for key in [1, 2, 3, 5] as [UInt64] { try environment.put([UInt8(key)], for: key, in: table) }
            let keys = (1...6 as ClosedRange<UInt64>).filter { wanted & 1 << ($0 - 1) != 0 }
            let found = try values(at: keys, in: environment, table)
            #expect(found.map(\.key) == keys)
            #expect(found.map(\.value) == keys.map { [1, 2, 3, 5].contains($0) ? [UInt8($0)] : nil })
        }
    }

    @Test func `values are found in any order, more than once and at the greatest key`() throws {
        try withTable(hasIntegerKeys: true) { environment, table in
            for key in [0, 1, .max] as [UInt64] { try environment.put([UInt8(key & 0xf)], for: key, in: table) }
            let keys: [UInt64] = [.max, .max, 0, 1, 1, 0, .max - 1, .max]
            let found = try values(at: keys, in: environment, table)
            #expect(found.map(\.value) == [[15], [15], [0], [1], [1], [0], nil, [15]])
            #expect(try values(at: [], in: environment, table).isEmpty)
            #expect(try values(at: keys, in: environment, table, limit: 3).map(\.key) == [.max, .max, 0])
        }
    }

    @Test func `an empty table has no rows in either direction`() throws {
        try withTable { environment, table throws in
            for bound in [nil, [1]] as [[UInt8]?] {
                #expect(try keys(of: environment, table, from: bound).isEmpty)
                #expect(try keys(of: environment, table, before: bound).isEmpty)
            }
        }
        try withTable(hasIntegerKeys: true) { environment, table in
            try environment.read { transaction in
                try transaction.scan(table, from: 0) { key, _ in
                    Issue.record("key \(key)")
                    return true
                }
            }
        }
    }

    @Test func `a bound that can be no key is an error, not a whole table`() throws {
        try withRows { environment, table in
            #expect(throws: LMDBError.self) { try keys(of: environment, table, from: []) }
            #expect(throws: LMDBError.self) { try keys(of: environment, table, before: []) }
        }
    }

    @Test func `a scan ends when its reader has enough, or throws`() throws {
        struct Enough: Error {}
        try withRows { environment, table in
            var forwards = 0
            var backwards = 0
            try environment.read { transaction in
                try transaction.scan(table) { _, _ in
                    forwards += 1
                    return forwards < 2
                }
                try transaction.scanBackwards(table) { _, _ in
                    backwards += 1
                    return backwards < 2
                }
            }
            #expect(forwards == 2)
            #expect(backwards == 2)
            #expect(throws: Enough.self) {
                try environment.read { try $0.scan(table) { _, _ in throw Enough() } }
            }
            #expect(throws: Enough.self) {
                try environment.read { try $0.scanBackwards(table) { _, _ in throw Enough() } }
            }
            // The cursors are closed: the environment takes a writer and gives the rows again.
            try environment.put([0], for: [8], in: table)
            #expect(try keys(of: environment, table).count == 4)
        }
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `random changes leave what a sorted dictionary holds`(seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        var model: [[UInt8]: [UInt8]] = [:]
        try withTable { environment, table in
            for round in 0..<20 {
                try environment.write { transaction in
                    for _ in 0..<100 {
                        let length = Int.random(in: 1...3, using: &random)
                        let key = (0..<length).map { _ in UInt8.random(in: 0...6, using: &random) }
                        if Int.random(in: 0..<3, using: &random) == 0 {
                            let removed = try transaction.remove(key.span, from: table)
                            #expect(removed == (model.removeValue(forKey: key) != nil))
                        } else {
                            let value = (0..<Int.random(in: 0...40, using: &random)).map { UInt8($0) }
                            try transaction.put(value.span, for: key.span, in: table)
                            model[key] = value
                        }
                    }
                }
                let sorted = model.keys.sorted { $0.lexicographicallyPrecedes($1) }
                let bound = [UInt8.random(in: 0...6, using: &random), UInt8.random(in: 0...6, using: &random)]
                let from = sorted.filter { !$0.lexicographicallyPrecedes(bound) }
                let before = sorted.reversed().filter { $0.lexicographicallyPrecedes(bound) }
                #expect(try keys(of: environment, table) == sorted, "round \(round)")
                #expect(try keys(of: environment, table, from: bound) == from, "round \(round)")
                #expect(try keys(of: environment, table, before: bound) == before, "round \(round)")
                for (key, value) in model { #expect(try environment.value(of: key, in: table) == value) }
            }
        }
    }

    private func withRows(_ body: (Environment, Table) throws -> Void) throws {
        try withTable { environment, table in
            for key in Self.keys { try environment.put([key], for: [key], in: table) }
            try body(environment, table)
        }
    }

    private func keys(of environment: Environment, _ table: Table, from start: [UInt8]? = nil) throws -> [[UInt8]] {
        var found: [[UInt8]] = []
        try environment.read { transaction in
            try transaction.scan(table, from: start?.span) { key, _ in
                found.append([UInt8](copying: key))
                return true
            }
        }
        return found
    }

    private func values(
        at keys: [UInt64],
        in environment: Environment,
        _ table: Table,
        limit: Int = .max
    ) throws -> [(key: UInt64, value: [UInt8]?)] {
        var found: [(key: UInt64, value: [UInt8]?)] = []
        try environment.read { transaction in
            try transaction.forEachValue(of: keys, in: table) { key, value in
                if let value { found.append((key, [UInt8](copying: value))) } else { found.append((key, nil)) }
                return found.count < limit
            }
        }
        return found
    }

    private func keys(of environment: Environment, _ table: Table, before end: [UInt8]?) throws -> [[UInt8]] {
        var found: [[UInt8]] = []
        try environment.read { transaction in
            try transaction.scanBackwards(table, before: end?.span) { key, _ in
                found.append([UInt8](copying: key))
                return true
            }
        }
        return found
    }
}
