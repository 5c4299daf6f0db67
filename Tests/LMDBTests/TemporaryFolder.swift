import Foundation

@testable import LMDB

/// Runs `body` with the path of an empty folder, which is removed afterwards.
func withTemporaryFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("lmdb-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try body(path)
}

/// Runs `body` with a new environment that holds one table.
func withTable<Result>(
    hasIntegerKeys: Bool = false,
    options: Environment.Options = .init(mapBytes: 16 << 20, tables: 4),
    _ body: (Environment, Table) throws -> Result
) throws -> Result {
    try withTemporaryFolder { path in
        let environment = try Environment(path: path, options: options)
        let table = try environment.write { try $0.openTable("rows", hasIntegerKeys: hasIntegerKeys) }
        return try body(environment, table)
    }
}

/// What a test puts under a key, and how it reads it back.
extension Environment {
    func put(_ value: [UInt8], for key: [UInt8], in table: Table) throws {
        try write { try $0.put(value.span, for: key.span, in: table) }
    }

    func put(_ value: [UInt8], for key: UInt64, in table: Table) throws {
        try write { try $0.put(value.span, for: key, in: table) }
    }

    func value(of key: [UInt8], in table: Table) throws -> [UInt8]? {
        try read { transaction in
            guard let value = try transaction.value(of: key.span, in: table) else { return nil }
            return [UInt8](copying: value)
        }
    }

    func value(of key: UInt64, in table: Table) throws -> [UInt8]? {
        try read { transaction in
            guard let value = try transaction.value(of: key, in: table) else { return nil }
            return [UInt8](copying: value)
        }
    }

    func count(of table: Table) throws -> Int { try read { try $0.count(of: table) } }

    func lastIntegerKey(in table: Table) throws -> UInt64? { try read { try $0.lastIntegerKey(in: table) } }

    func remove(_ key: [UInt8], from table: Table) throws -> Bool {
        try write { try $0.remove(key.span, from: table) }
    }
}
