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
/// page of the last one is looked at first.
@safe
package struct TableLoader: ~Copyable {
    private var transaction: WriteTransaction
    private let table: Table
    private let flags: UInt32
    /// Nil after a failure, which ends the loading.
    @unsafe private var cursor: OpaquePointer?
    /// Since the last commit.
    private var bytes = 0

    @unsafe
    fileprivate init(
        _ transaction: consuming WriteTransaction,
        _ table: Table,
        _ flags: UInt32,
        _ cursor: OpaquePointer
    ) {
        self.transaction = transaction
        self.table = table
        self.flags = flags
        unsafe self.cursor = cursor
    }

    /// Writes `value` under `key`, which comes after the key before it.
    package mutating func put(_ value: Span<UInt8>, for key: Span<UInt8>) throws(LMDBError) {
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
        try transaction.remove(key, from: table)
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
        let flags = try count(of: table) == 0 ? UInt32(MDB_APPEND) : 0
        let cursor = unsafe try openCursor(on: table)
        var loader = unsafe TableLoader(self, table, flags, cursor)
        do {
            try body(&loader)
        } catch {
            self = loader.end()
            throw error
        }
        self = loader.end()
    }
}
