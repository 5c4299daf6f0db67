package import Cryptography
internal import Foundation
internal import LMDB
internal import Synchronization

/// The only truth: an append-only log of events in an LMDB environment of its own.
///
/// Any thread may read. One thread appends, the writer's. An append returns when it is on disk.
package final class EventLog: Sendable {
    /// The log's directory is there but holds nothing that this version can read.
    package struct Unreadable: Error, CustomStringConvertible {
        package var description: String
    }

    /// An event of the log that can't be read.
    package struct Damaged: Error, CustomStringConvertible {
        package var offset: Offset
        package var reason: RecordError
        package var description: String { "event \(offset): \(reason)" }
    }

    package let identity: LogIdentity
    /// Where its epochs after the first began.
    let beginnings: [LogMetadata.Beginning]
    /// Where it is.
    package let directory: String

    /// Whether another process may be appending; see ``refreshHead()``.
    package let isReadOnly: Bool

    /// Another one after ``compact()``, for which the tables are good as well; whoever reads keeps the one it has.
    var environment: Environment { current.withLock { $0 } }
    let current: Mutex<Environment>
    let events: Table
    /// Nil if the log is only read and has no tree yet.
    let treeTables: TreeTables?
    /// Taken by those who append, which the writer's thread alone does.
    let writer = Mutex(TreeWriter())
    let durableTree: Atomic<UInt64>
    let names: Table
    private let durable: Atomic<UInt64>
    /// Where it ended when it was opened.
    private let openedAt: Offset
    /// The records after ``openedAt`` up to here have been read and their checksums were right.
    private let checked: Atomic<UInt64>
    /// For how many events a look at a checksum holds: as long as the record hasn't left the memory.
    static let checkedEvents: UInt64 = 1 << 16
    private let lastTime: Atomic<UInt64>

    /// Opens the log in `directory`, or makes a new one there.
    ///
    /// - Parameters:
    ///   - mapBytes: The most that the file may grow to.
    ///   - isReadOnly: Whether nothing is appended; a server may be running beside it.
    /// - Throws: ``LMDBError``, ``Unreadable``.
    package init(directory: String, mapBytes: Int = 1 << 40, isReadOnly: Bool = false) throws {
        self.directory = directory
        self.isReadOnly = isReadOnly
        let environment = try Self.openEnvironment(
            in: directory,
            options: .init(mapBytes: mapBytes, tables: 8, isReadOnly: isReadOnly)
        )
        current = Mutex(environment)
        let found: LogMetadata
        let last: Last
        if isReadOnly {
            do {
                (events, names, treeTables, found, last) = try environment.read { transaction in
                    let events = try transaction.openTable("events", hasIntegerKeys: true)
                    let names = try transaction.openTable("names")
                    let metadata = try transaction.openTable("metadata")
                    guard let found = try LogMetadata(in: transaction, metadata) else {
                        throw Unreadable(description: "\(directory) holds no log")
                    }
                    let tree = try TreeTables(in: transaction)
                    return (events, names, tree, found, try Last(in: transaction, events, tree))
                }
            } catch let error as LMDBError where error.isMissing {
                throw Unreadable(description: "\(directory) holds no log")
            }
        } else {
            (events, names, treeTables, found, last) = try environment.write { transaction in
                let events = try transaction.openTable("events", hasIntegerKeys: true)
                let names = try transaction.openTable("names")
                let metadata = try transaction.openTable("metadata")
                let found: LogMetadata
                if let existing = try LogMetadata(in: transaction, metadata) {
                    found = existing
                } else {
                    found = LogMetadata()
                    try found.write(in: &transaction, metadata)
                }
                let tree = try TreeTables(making: transaction)
                return (events, names, tree, found, try Last(in: transaction, events, tree))
            }
        }
        identity = found.identity
        beginnings = found.beginnings
        durable = Atomic(last.offset)
        openedAt = last.offset
        checked = Atomic(last.offset)
        lastTime = Atomic(last.milliseconds)
        durableTree = Atomic(last.treeSize)
    }

    /// The offset of the last durable event; 0 when there is none.
    package var head: Offset { durable.load(ordering: .acquiring) }

    /// The time of the last durable event, in milliseconds since 1970.
    package var lastMilliseconds: UInt64 { lastTime.load(ordering: .acquiring) }

    /// The version of LMDB that keeps it, as in `0.9.24`.
    package static var storeVersion: String { Environment.libraryVersion }

    /// How many commits the log has had, those that appended nothing included.
    package func commits() throws -> Int { try environment.commits() }

    /// Looks again where the head is, for a log that another process appends to.
    @discardableResult
    package func refreshHead() throws -> Offset {
        let last = try environment.read { try Last(in: $0, events, treeTables) }
        durable.store(last.offset, ordering: .releasing)
        lastTime.store(last.milliseconds, ordering: .releasing)
        durableTree.store(last.treeSize, ordering: .releasing)
        return last.offset
    }

    /// Appends `batch`, which must begin right after the head, and its leaves to the tree.
    ///
    /// Returns when it is on disk. The writer's thread only. A tree that doesn't cover all events yet is completed
    /// first; see ``upgradeTree(progress:)``.
    package func append(_ batch: EventBatch) throws { try append(batch) { try erase(batch, in: &$0) } }

    /// Appends `batch` and makes another change of the log in the same transaction.
    func append(_ batch: EventBatch, alongside change: (inout WriteTransaction) throws -> Void) throws {
        precondition(batch.first == head + 1, "a batch that doesn't continue the log")
        guard let treeTables else { preconditionFailure("a log that is only read") }
        try writer.withLock { writer in
            // A copy, so that a commit that fails leaves the tree as it was.
            var tree = try writer.growing(completeTree(&writer), by: batch)
            try environment.write { transaction in
                for (index, entry) in batch.entries.enumerated() {
                    try transaction.put(
                        batch.bytes.span.extracting(entry.range),
                        for: batch.first + Offset(index),
                        in: events,
                        mode: .append
                    )
                }
                for (name, id) in batch.names {
                    var value: [UInt8] = []
                    id.append(to: &value)
                    try transaction.put(value.span, for: name.span, in: names)
                }
                try tree.write(in: &transaction, treeTables)
                try change(&transaction)
            }
            writer.tree = tree
        }
        if let time = batch.entries.last?.header.milliseconds { lastTime.store(time, ordering: .releasing) }
        durableTree.store(batch.last, ordering: .releasing)
        durable.store(batch.last, ordering: .releasing)
    }

    /// Hands the events after `offset` to `body`, oldest first, until it returns false, `limit` are read, or the log
    /// ends.
    ///
    /// The whole call is one snapshot: keep it short.
    ///
    /// - Throws: ``Damaged`` at the first event that can't be read; what `body` throws.
    package func read(
        after offset: Offset,
        limit: Int = .max,
        _ body: (borrowing Record) throws -> Bool
    ) throws {
        try read(after: offset, limit: limit, trusting: 0..<0, body)
    }

    /// As ``read(after:limit:_:)``, for those who each read what has just been appended, as the views do: a checksum
    /// that one of them has looked at isn't looked at again by the others.
    ///
    /// That holds for the last 65,536 events, of those appended since the log was opened.
    package func readNewest(after offset: Offset, limit: Int, _ body: (borrowing Record) throws -> Bool) throws {
        let known = checked.load(ordering: .acquiring)
        // It may grow between two looks.
        let head = head
        let first = max(openedAt, head - min(head, Self.checkedEvents)) + 1
        var reached = offset
        defer {
            // Nobody has looked at what lies between, if it began later.
            if offset <= known { checked.max(reached, ordering: .releasing) }
        }
        try read(after: offset, limit: limit, trusting: first..<max(first, known + 1)) { record in
            reached = record.offset
            return try body(record)
        }
    }

    private func read(
        after offset: Offset,
        limit: Int,
        trusting trusted: Range<Offset>,
        _ body: (borrowing Record) throws -> Bool
    ) throws {
        guard limit > 0, offset < .max else { return }
        var left = limit
        var expected = offset + 1
        try environment.read { transaction in
            try transaction.scan(events, from: offset + 1) { position, bytes in
                guard position == expected else { throw Damaged(offset: expected, reason: .missing) }
                expected += 1
                left -= 1
                let record = try Self.record(bytes, at: position, isTrusted: trusted.contains(position))
                return try body(record) && left > 0
            }
        }
    }

    @_lifetime(copy bytes)
    static func record(
        _ bytes: Span<UInt8>,
        at offset: Offset,
        isTrusted: Bool = false
    ) throws(Damaged) -> Record {
        do throws(RecordError) {
            return isTrusted ? try Record(trusting: bytes, at: offset) : try Record(bytes, at: offset)
        } catch {
            throw Damaged(offset: offset, reason: error)
        }
    }

    /// Calls `body` with the event at `offset`.
    ///
    /// - Returns: Nil if there is none.
    package func withRecord<Result>(at offset: Offset, _ body: (borrowing Record) throws -> Result) throws -> Result? {
        var result: Result?
        guard offset > 0 else { return nil }
        try read(after: offset - 1, limit: 1) { record in
            result = try body(record)
            return false
        }
        return result
    }

    /// The account that goes by `name`, registered or guest.
    package func accountID(named name: AccountName) throws -> AccountID? {
        try environment.read { transaction in
            guard let value = try transaction.value(of: name.utf8.span, in: names) else { return nil }
            guard value.count == Identifier.byteCount else { throw LMDBError.malformed("names") }
            return Identifier(value)
        }
    }

    /// The hash of the leaf at `offset`, which ties a view's checkpoint to this very log.
    ///
    /// - Returns: Nil if there is no event.
    package func leafHash(at offset: Offset) throws -> Digest? {
        try withRecord(at: offset) { $0.leafHash(with: SHA256()) }
    }

    /// Looks for the file of a log, so that none is made where there is none.
    static func requireFile(in directory: String) throws {
        guard let file = try? FileManager.default.attributesOfItem(atPath: directory + "/data.mdb") else {
            throw Unreadable(
                description: "there is no log in \(directory): name the server's data folder with --data"
            )
        }
        // As a server leaves it that is killed while it makes the file.
        guard (file[.size] as? NSNumber)?.intValue != 0 else {
            throw Unreadable(description: "\(directory) holds no log")
        }
    }

    /// Where the log ends.
    private struct Last {
        var offset: Offset = 0
        var milliseconds: UInt64 = 0
        var treeSize: UInt64 = 0

        init(in transaction: borrowing some Transaction & ~Copyable, _ events: Table, _ tree: TreeTables?) throws {
            // Damage keeps nobody from reading: a tree whose size can't be told is reported by those who need it.
            treeSize = (try? tree?.size(in: transaction)) ?? 0
            guard let last = try transaction.lastIntegerKey(in: events),
                let bytes = try transaction.value(of: last, in: events)
            else { return }
            offset = last
            // A damaged last record must not keep the log from opening: readers report it when they reach it. Nor must
            // the time that it seems to have hold the clock for ever.
            milliseconds = (try? Record(bytes, at: last))?.header.milliseconds ?? 0
        }
    }
}
