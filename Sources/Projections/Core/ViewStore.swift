internal import Broker
internal import Dispatch
internal import Foundation
package import LMDB
internal import Synchronization

/// One view on disk, opened: its environment, its tables and its checkpoint.
///
/// Any thread may read; one thread at a time writes.
package final class ViewStore: Sendable {
    package let projection: any Projection.Type
    package let environment: Environment
    /// The tables of the projection, in its order.
    package let tables: [Table]
    private let metadata: Table
    /// Called once the files are removed; nil as long as they are needed.
    private let removed = Mutex<(@Sendable () -> Void)?>(nil)

    private static let metadataTable = "metadata"
    private static let checkpointKey: [UInt8] = Array("checkpoint".utf8)

    /// Opens the view in `directory`, or makes an empty one there that begins at offset 0 of the log `identity`.
    ///
    /// - Throws: ``LMDBError``, ``Unreadable``.
    init(
        _ projection: any Projection.Type,
        directory: String,
        mapBytes: Int,
        readers: Int = 512,
        log identity: LogIdentity
    ) throws {
        self.projection = projection
        let environment = try Environment(
            path: directory,
            options: .init(
                mapBytes: mapBytes,
                tables: projection.tables.count + 1,
                readers: readers,
                isDurable: false
            )
        )
        self.environment = environment
        (tables, metadata) = try environment.write { transaction in
            let metadata = try transaction.openTable(Self.metadataTable)
            if try transaction.value(of: Self.checkpointKey.span, in: metadata) == nil {
                let start = Checkpoint(log: identity, offset: 0, leafHash: nil)
                try Self.put(start, in: &transaction, metadata)
            }
            var tables: [Table] = []
            for name in projection.tables { tables.append(try transaction.openTable(name)) }
            return (tables, metadata)
        }
        _ = try checkpoint()
    }

    /// Opens the view in `directory` in order to read it; its owner may be writing to it.
    ///
    /// - Throws: ``LMDBError``, ``Unreadable``.
    package init(_ projection: any Projection.Type, readOnlyDirectory directory: String) throws {
        self.projection = projection
        guard FileManager.default.fileExists(atPath: directory + "/data.mdb") else {
            throw Unreadable(description: "there is no view in \(directory)")
        }
        let environment = try Environment(
            path: directory,
            options: .init(tables: projection.tables.count + 1, isDurable: false, isReadOnly: true)
        )
        self.environment = environment
        (tables, metadata) = try environment.read { transaction in
            var tables: [Table] = []
            for name in projection.tables { tables.append(try transaction.openTable(name)) }
            return (tables, try transaction.openTable(Self.metadataTable))
        }
        _ = try checkpoint()
    }

    deinit {
        guard let removed = removed.withLock({ $0 }) else { return }
        let directory = environment.path
        // The last reader may be an event loop, which must not wait for a large file to be deleted.
        DispatchQueue.global(qos: .utility).async {
            try? FileManager.default.removeItem(atPath: directory)
            removed()
        }
    }

    /// The view in a directory can't be read by this version.
    package struct Unreadable: Error, CustomStringConvertible {
        package var description: String
    }

    /// How far the view has come.
    package func checkpoint() throws -> Checkpoint { try environment.read { try checkpoint(in: $0) } }

    /// How far the view had come when `transaction` began.
    func checkpoint(in transaction: borrowing some Transaction & ~Copyable) throws -> Checkpoint {
        guard let value = try transaction.value(of: Self.checkpointKey.span, in: metadata),
            let checkpoint = Checkpoint(value)
        else { throw Unreadable(description: "the view in \(environment.path) has no readable checkpoint") }
        return checkpoint
    }

    /// The offset of ``checkpoint(in:)``.
    func offset(in transaction: borrowing ReadTransaction) throws -> Offset {
        if let value = try transaction.value(of: Self.checkpointKey.span, in: metadata),
            let offset = Checkpoint.offset(of: value)
        {
            return offset
        }
        return try checkpoint(in: transaction).offset
    }

    /// Moves the checkpoint in the transaction of the change that it stands for.
    func setCheckpoint(_ checkpoint: Checkpoint, in transaction: inout WriteTransaction) throws {
        try Self.put(checkpoint, in: &transaction, metadata)
    }

    private static func put(_ checkpoint: Checkpoint, in transaction: inout WriteTransaction, _ table: Table) throws {
        var value: [UInt8] = []
        checkpoint.append(to: &value)
        try transaction.put(value.span, for: checkpointKey.span, in: table)
    }

    /// Has the files deleted when the last reader is done, and then calls `removed`.
    func retire(_ removed: @escaping @Sendable () -> Void) { self.removed.withLock { $0 = removed } }
}
