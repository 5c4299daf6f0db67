internal import Foundation
internal import LMDB

/// A copy of a log that is made in order to be tampered with: what somebody who may write the data folder could do,
/// shown and tested.
///
/// Nothing else can be tampered with, because only ``init(of:in:)`` makes one, and it makes a new directory.
package struct LogCopy: Sendable {
    package let directory: String

    /// Copies `log` as it is now, beside whoever appends to it.
    ///
    /// - Parameter directory: Must not be there.
    package init(of log: EventLog, in directory: String) throws {
        try FileManager.default.createDirectory(
            atPath: directory,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
        guard try FileManager.default.contentsOfDirectory(atPath: directory).isEmpty else {
            throw NotEmpty(path: directory)
        }
        try log.environment.copy(to: directory)
        self.directory = directory
    }

    /// There is something where the copy was to be made.
    package struct NotEmpty: Error, CustomStringConvertible {
        package var path: String
        package var description: String { "\(path) isn't empty: name a folder that is, or one that isn't there" }
    }

    /// The tables in which a log keeps what happened.
    struct Tables {
        var events: Table
        var names: Table
        var tree: TreeTables
    }

    /// Changes the tables past everything that guards them.
    func change(_ body: (inout WriteTransaction, Tables) throws -> Void) throws {
        let environment = try Environment(path: directory, options: .init(tables: 8))
        try environment.write { transaction in
            let tables = Tables(
                events: try transaction.openTable("events", hasIntegerKeys: true),
                names: try transaction.openTable("names"),
                tree: try TreeTables(making: transaction)
            )
            try body(&transaction, tables)
        }
    }

    /// The bytes of the record at `offset`.
    func record(
        at offset: Offset,
        in transaction: borrowing some Transaction & ~Copyable,
        _ tables: Tables
    ) throws
        -> [UInt8]
    {
        guard let bytes = try transaction.value(of: offset, in: tables.events) else {
            throw EventLog.Damaged(offset: offset, reason: .missing)
        }
        return [UInt8](copying: bytes)
    }
}
