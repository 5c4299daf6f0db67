import LMDB

@testable import Broker

/// Reaches under a log that is closed: what a disk, another version or a clumsy hand may have done to it.
enum RawLog {
    /// Makes a log in `directory` that holds `records` as they are, from offset 1 on.
    static func write(_ records: [[UInt8]], into directory: String) throws {
        _ = try EventLog(directory: directory, mapBytes: 16 << 20)
        try change(directory) { transaction, tables in
            for (index, record) in records.enumerated() {
                try transaction.put(record.span, for: Offset(index + 1), in: tables.events)
            }
        }
    }

    struct Tables {
        var events: Table
        var names: Table
        var metadata: Table
    }

    /// Changes the tables of the closed log in `directory`.
    static func change(_ directory: String, _ body: (inout WriteTransaction, Tables) throws -> Void) throws {
        let environment = try Environment(path: directory, options: .init(mapBytes: 16 << 20, tables: 8))
        try environment.write { transaction in
            let tables = Tables(
                events: try transaction.openTable("events", hasIntegerKeys: true),
                names: try transaction.openTable("names"),
                metadata: try transaction.openTable("metadata")
            )
            try body(&transaction, tables)
        }
    }
}

extension WriteTransaction {
    /// A copy of the value of `key`.
    func bytes(of key: [UInt8], in table: Table) throws -> [UInt8]? {
        guard let value = try value(of: key.span, in: table) else { return nil }
        return [UInt8](copying: value)
    }
}
