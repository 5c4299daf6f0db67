internal import CLMDB

extension Transaction where Self: ~Copyable {
    /// The value of `key`, valid until the transaction ends or changes something.
    @_lifetime(borrow self)
    package borrowing func value(of key: Span<UInt8>, in table: Table) throws(LMDBError) -> Span<UInt8>? {
        var found = unsafe MDB_val()
        let code = unsafe key.withUnsafeBytes { bytes in
            var k = unsafe MDB_val(borrowing: bytes)
            return unsafe mdb_get(handle, table.handle, &k, &found)
        }
        if code == MDB_NOTFOUND { return nil }
        try LMDBError.check(code, "mdb_get")
        return unsafe _overrideLifetime(Span(_unsafeBytes: found.bytes), borrowing: self)
    }

    /// The value of the integer `key`, valid until the transaction ends or changes something.
    @_lifetime(borrow self)
    package borrowing func value(of key: UInt64, in table: Table) throws(LMDBError) -> Span<UInt8>? {
        var found = unsafe MDB_val()
        var integer = key
        let code = unsafe withUnsafeMutableBytes(of: &integer) { bytes in
            var k = unsafe MDB_val(borrowing: UnsafeRawBufferPointer(bytes))
            return unsafe mdb_get(handle, table.handle, &k, &found)
        }
        if code == MDB_NOTFOUND { return nil }
        try LMDBError.check(code, "mdb_get")
        return unsafe _overrideLifetime(Span(_unsafeBytes: found.bytes), borrowing: self)
    }

    /// How many rows `table` has.
    package borrowing func count(of table: Table) throws(LMDBError) -> Int {
        Int(try statistics(of: table).ms_entries)
    }

    borrowing func statistics(of table: Table) throws(LMDBError) -> MDB_stat {
        var statistics = MDB_stat()
        unsafe try LMDBError.check(mdb_stat(handle, table.handle, &statistics), "mdb_stat")
        return statistics
    }

    /// Hands rows to `body` in key order, from the first key at or after `start`, until it returns false.
    ///
    /// `body` must not change the table.
    package borrowing func scan(
        _ table: Table,
        from start: Span<UInt8>? = nil,
        _ body: (Span<UInt8>, Span<UInt8>) throws -> Bool
    ) throws {
        try unsafe withCursor(on: table) { cursor in
            var key = unsafe MDB_val()
            var value = unsafe MDB_val()
            var code: Int32
            if let start {
                code = unsafe start.withUnsafeBytes { bytes in
                    unsafe key = MDB_val(borrowing: bytes)
                    return unsafe mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE)
                }
            } else {
                code = unsafe mdb_cursor_get(cursor, &key, &value, MDB_FIRST)
            }
            while code == MDB_SUCCESS {
                guard try unsafe body(Span(_unsafeBytes: key.bytes), Span(_unsafeBytes: value.bytes)) else { return }
                code = unsafe mdb_cursor_get(cursor, &key, &value, MDB_NEXT)
            }
            if code != MDB_NOTFOUND { throw LMDBError(code: code, function: "mdb_cursor_get") }
        }
    }

    /// Hands rows to `body` in reverse key order, from the last key before `end`, until it returns false.
    package borrowing func scanBackwards(
        _ table: Table,
        before end: Span<UInt8>? = nil,
        _ body: (Span<UInt8>, Span<UInt8>) throws -> Bool
    ) throws {
        try unsafe withCursor(on: table) { cursor in
            var key = unsafe MDB_val()
            var value = unsafe MDB_val()
            var code: Int32 = MDB_NOTFOUND
            if let end {
                code = unsafe end.withUnsafeBytes { bytes in
                    unsafe key = MDB_val(borrowing: bytes)
                    return unsafe mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE)
                }
                if code != MDB_NOTFOUND { try LMDBError.check(code, "mdb_cursor_get") }
            }
            code = unsafe mdb_cursor_get(cursor, &key, &value, code == MDB_NOTFOUND ? MDB_LAST : MDB_PREV)
            while code == MDB_SUCCESS {
                guard try unsafe body(Span(_unsafeBytes: key.bytes), Span(_unsafeBytes: value.bytes)) else { return }
                code = unsafe mdb_cursor_get(cursor, &key, &value, MDB_PREV)
            }
            if code != MDB_NOTFOUND { throw LMDBError(code: code, function: "mdb_cursor_get") }
        }
    }

    /// Hands rows of a table with integer keys to `body`, from the first key at or after `start`, until it returns
    /// false.
    package borrowing func scan(
        _ table: Table,
        from start: UInt64,
        _ body: (UInt64, Span<UInt8>) throws -> Bool
    ) throws {
        try unsafe withCursor(on: table) { cursor in
            var integer = start
            var key = unsafe MDB_val()
            var value = unsafe MDB_val()
            var code = unsafe withUnsafeMutableBytes(of: &integer) { bytes in
                unsafe key = MDB_val(borrowing: UnsafeRawBufferPointer(bytes))
                return unsafe mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE)
            }
            while code == MDB_SUCCESS {
                let found = unsafe key.bytes.loadUnaligned(as: UInt64.self)
                guard try unsafe body(found, Span(_unsafeBytes: value.bytes)) else { return }
                code = unsafe mdb_cursor_get(cursor, &key, &value, MDB_NEXT)
            }
            if code != MDB_NOTFOUND { throw LMDBError(code: code, function: "mdb_cursor_get") }
        }
    }

    /// Hands the values of ascending integer `keys` to `body`, nil for a key that isn't there, until it returns false.
    ///
    /// The cursor steps to a key that follows the last one, and searches for others.
    package borrowing func forEachValue(
        of keys: [UInt64],
        in table: Table,
        _ body: (UInt64, Span<UInt8>?) throws -> Bool
    ) throws {
        try unsafe withCursor(on: table) { cursor in
            var last: UInt64?
            for wanted in keys {
                var integer = wanted
                var key = unsafe MDB_val()
                var value = unsafe MDB_val()
                var code: Int32
                let isNeighbour = last.map { $0 < wanted && wanted - $0 == 1 } ?? false
                if isNeighbour {
                    code = unsafe mdb_cursor_get(cursor, &key, &value, MDB_NEXT)
                    if code == MDB_SUCCESS, unsafe key.bytes.loadUnaligned(as: UInt64.self) != wanted {
                        code = MDB_NOTFOUND
                    }
                } else {
                    code = unsafe withUnsafeMutableBytes(of: &integer) { bytes in
                        unsafe key = MDB_val(borrowing: UnsafeRawBufferPointer(bytes))
                        return unsafe mdb_cursor_get(cursor, &key, &value, MDB_SET)
                    }
                }
                if code == MDB_NOTFOUND {
                    last = nil
                    guard try body(wanted, nil) else { return }
                } else {
                    try LMDBError.check(code, "mdb_cursor_get")
                    last = wanted
                    guard try unsafe body(wanted, Span(_unsafeBytes: value.bytes)) else { return }
                }
            }
        }
    }

    /// The least key, of a table with integer keys, that is no less than `start`.
    package borrowing func firstIntegerKey(in table: Table, from start: UInt64) throws -> UInt64? {
        var found: UInt64?
        try scan(table, from: start) { key, _ in
            found = key
            return false
        }
        return found
    }

    /// The greatest key of a table with integer keys.
    package borrowing func lastIntegerKey(in table: Table) throws -> UInt64? {
        try unsafe withCursor(on: table) { cursor in
            var key = unsafe MDB_val()
            var value = unsafe MDB_val()
            let code = unsafe mdb_cursor_get(cursor, &key, &value, MDB_LAST)
            if code == MDB_NOTFOUND { return nil }
            try LMDBError.check(code, "mdb_cursor_get")
            return unsafe key.bytes.loadUnaligned(as: UInt64.self)
        }
    }

    @unsafe
    private borrowing func withCursor<Result>(
        on table: Table,
        _ body: (OpaquePointer) throws -> Result
    ) throws -> Result {
        let cursor = unsafe try openCursor(on: table)
        defer { unsafe mdb_cursor_close(cursor) }
        return try unsafe body(cursor)
    }

    @unsafe
    borrowing func openCursor(on table: Table) throws(LMDBError) -> OpaquePointer {
        var opened: OpaquePointer?
        unsafe try LMDBError.check(mdb_cursor_open(handle, table.handle, &opened), "mdb_cursor_open")
        guard let cursor = unsafe opened else { preconditionFailure("mdb_cursor_open succeeded without a handle") }
        return unsafe cursor
    }
}
