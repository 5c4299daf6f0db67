internal import CLMDB

/// Puts rows into one table in the order of their keys, by a cursor that stays where the last row went.
///
/// ```swift
/// try transaction.load(table) { loader in
///     for row in rows { try loader.put(row.value.span, for: row.key.span) }
/// }
/// ```
///
/// Into an empty table rows are appended, which fills the pages and searches nothing. Where there are rows already, the
/// page of the last one is looked at first; see ``beginRun(at:)`` for many rows that go between two others.
@safe
package struct TableLoader: ~Copyable {
    private var transaction: WriteTransaction
    private let table: Table
    private let flags: UInt32
    /// Nil after a failure, which ends the loading.
    @unsafe private var cursor: OpaquePointer?
    /// Since the last commit.
    private var bytes = 0
    /// Rows that are taken out for the time of a run, in key order.
    private var displaced: [(key: [UInt8], value: [UInt8])] = []
    private let pageBytes: UInt

    /// The most rows that are taken out: more are worth less than they cost.
    private static let mostDisplaced = 8

    @unsafe
    fileprivate init(
        _ transaction: consuming WriteTransaction,
        _ table: Table,
        _ flags: UInt32,
        _ cursor: OpaquePointer,
        pageBytes: UInt
    ) {
        self.transaction = transaction
        self.table = table
        self.flags = flags
        unsafe self.cursor = cursor
        self.pageBytes = pageBytes
    }

    /// Begins a run: some rows from `key` on, between which there are no others.
    ///
    /// A page to whose end rows are added is split where they begin, so that it stays full. If the page has but one row
    /// behind them, each split is in the middle, and that row is at the end of the new page again: for ever after all
    /// pages of the run are half full. So the few rows behind are taken out of the page, and put back after the run.
    package mutating func beginRun(at key: Span<UInt8>) throws(LMDBError) {
        try endRun()
        // What is appended fills the pages anyway; and a part that is committed must have all rows.
        guard flags == 0, transaction.partBytes == nil else { return }
        try findFollowers(of: key)
        for row in displaced { try transaction.remove(row.key.span, from: table) }
    }

    /// Puts back what the run has displaced.
    fileprivate mutating func endRun() throws(LMDBError) {
        guard !displaced.isEmpty else { return }
        let rows = displaced
        displaced.removeAll()
        for row in rows { try put(row.value.span, for: row.key.span) }
    }

    /// Finds the rows from `key` on that are in one page with the row before `key`, if they aren't many.
    private mutating func findFollowers(of key: Span<UInt8>) throws(LMDBError) {
        var (found, value) = unsafe (MDB_val(), MDB_val())
        let code = unsafe key.withUnsafeBytes { bytes in
            unsafe found = MDB_val(borrowing: bytes)
            return unsafe mdb_cursor_get(cursor, &found, &value, MDB_SET_RANGE)
        }
        guard try isFound(code), unsafe try isFound(mdb_cursor_get(cursor, &found, &value, MDB_PREV)) else { return }
        let page = unsafe UInt(bitPattern: value.mv_data) / pageBytes
        while unsafe try isFound(mdb_cursor_get(cursor, &found, &value, MDB_NEXT)),
            unsafe UInt(bitPattern: value.mv_data) / pageBytes == page
        {
            guard displaced.count < Self.mostDisplaced else {
                displaced.removeAll()
                return
            }
            unsafe displaced.append((Array(found.bytes), Array(value.bytes)))
        }
    }

    private func isFound(_ code: Int32) throws(LMDBError) -> Bool {
        if code == MDB_NOTFOUND { return false }
        try LMDBError.check(code, "mdb_cursor_get")
        return true
    }

    /// Writes `value` under `key`, which comes after the key before it.
    package mutating func put(_ value: Span<UInt8>, for key: Span<UInt8>) throws(LMDBError) {
        if let next = displaced.first, !key.precedes(next.key.span) { try endRun() }
        let code = unsafe key.withUnsafeBytes { keyBytes in
            unsafe value.withUnsafeBytes { valueBytes in
                var k = unsafe MDB_val(borrowing: keyBytes)
                var v = unsafe MDB_val(borrowing: valueBytes)
                return unsafe mdb_cursor_put(cursor, &k, &v, flags)
            }
        }
        try LMDBError.check(code, "mdb_cursor_put")
        guard let partBytes = transaction.partBytes else { return }
        bytes += key.count + value.count
        if bytes >= partBytes { try commitPart() }
    }

    /// Removes `key` and tells whether it was there.
    @discardableResult
    package mutating func remove(_ key: Span<UInt8>) throws(LMDBError) -> Bool {
        try endRun()
        return try transaction.remove(key, from: table)
    }

    private mutating func commitPart() throws(LMDBError) {
        closeCursor()
        try transaction.commitPart()
        unsafe cursor = try transaction.openCursor(on: table)
        bytes = 0
    }

    private mutating func closeCursor() {
        if let open = unsafe cursor { unsafe mdb_cursor_close(open) }
        unsafe cursor = nil
    }

    fileprivate consuming func end() -> WriteTransaction {
        closeCursor()
        return transaction
    }
}

extension WriteTransaction {
    /// Runs `body` with a loader for `table`.
    package mutating func load(_ table: Table, _ body: (inout TableLoader) throws -> Void) throws {
        let statistics = try statistics(of: table)
        let flags = statistics.ms_entries == 0 ? UInt32(MDB_APPEND) : 0
        let cursor = unsafe try openCursor(on: table)
        var loader = unsafe TableLoader(self, table, flags, cursor, pageBytes: UInt(statistics.ms_psize))
        do {
            try body(&loader)
            try loader.endRun()
        } catch {
            self = loader.end()
            throw error
        }
        self = loader.end()
    }
}

extension Span<UInt8> {
    /// Whether it comes before `other` in a table.
    fileprivate func precedes(_ other: Span<UInt8>) -> Bool {
        for index in 0..<Swift.min(count, other.count) where self[index] != other[index] {
            return self[index] < other[index]
        }
        return count < other.count
    }
}
