internal import CLMDB

/// A named B+tree of bytes to bytes inside an ``Environment``.
///
/// Valid as long as its environment.
package struct Table: Sendable {
    let handle: UInt32
}

/// What a read and a write transaction have in common: looking things up.
@safe
package protocol Transaction: ~Copyable {
    @unsafe var handle: OpaquePointer { get }
}

/// A consistent snapshot of the environment.
@safe
package struct ReadTransaction: ~Copyable, Transaction {
    @unsafe package let handle: OpaquePointer
    /// Open as long as it is read.
    private let environment: Environment

    @usableFromInline @unsafe init(handle: OpaquePointer, of environment: Environment) {
        unsafe self.handle = handle
        self.environment = environment
    }
    // Not mdb_txn_abort, which would close the tables that were opened in this transaction.
    deinit { _ = unsafe mdb_txn_commit(handle) }
}

/// The one transaction that may change the environment; confined to its thread.
@safe
package struct WriteTransaction: ~Copyable, Transaction {
    @unsafe package private(set) var handle: OpaquePointer
    /// After how many bytes of rows ``TableLoader`` commits and goes on; nil for not before the end.
    let partBytes: Int?
    private var isOpen = true

    @usableFromInline @unsafe init(handle: OpaquePointer, partBytes: Int?) {
        unsafe self.handle = handle
        self.partBytes = partBytes
    }
    deinit { if isOpen { unsafe mdb_txn_abort(handle) } }

    @usableFromInline mutating func commit() throws(LMDBError) {
        precondition(isOpen, "a transaction that failed in one of its parts")
        isOpen = false  // mdb_txn_commit frees the handle whether it succeeds or not
        unsafe try LMDBError.check(mdb_txn_commit(handle), "mdb_txn_commit")
    }

    /// Commits what has been changed so far, and goes on.
    mutating func commitPart() throws(LMDBError) {
        guard let environment = unsafe mdb_txn_env(handle) else { preconditionFailure("a transaction of nothing") }
        try commit()
        var begun: OpaquePointer?
        unsafe try LMDBError.check(mdb_txn_begin(environment, nil, 0, &begun), "mdb_txn_begin")
        guard let begun = unsafe begun else { preconditionFailure("mdb_txn_begin succeeded without a handle") }
        unsafe handle = begun
        isOpen = true
    }

    /// How ``put(_:for:in:mode:)`` treats the key.
    package enum PutMode {
        /// Writes whether the key is there or not.
        case upsert
        /// The key is greater than every other: much cheaper, and an error otherwise.
        case append
    }

    /// Opens a table, and makes it when it isn't there.
    ///
    /// - Parameter hasIntegerKeys: Whether keys are 8-byte integers in the machine's byte order, which compare faster.
    package func openTable(_ name: String, hasIntegerKeys: Bool = false) throws(LMDBError) -> Table {
        var opened: MDB_dbi = 0
        let flags = MDB_CREATE | (hasIntegerKeys ? MDB_INTEGERKEY : 0)
        unsafe try LMDBError.check(mdb_dbi_open(handle, name, UInt32(flags), &opened), "open table \(name)")
        return Table(handle: opened)
    }

    /// Writes `value` under `key`.
    package mutating func put(
        _ value: Span<UInt8>,
        for key: Span<UInt8>,
        in table: Table,
        mode: PutMode = .upsert
    ) throws(LMDBError) {
        let code = unsafe key.withUnsafeBytes { keyBytes in
            unsafe value.withUnsafeBytes { valueBytes in
                var k = unsafe MDB_val(borrowing: keyBytes)
                var v = unsafe MDB_val(borrowing: valueBytes)
                return unsafe mdb_put(handle, table.handle, &k, &v, mode == .append ? UInt32(MDB_APPEND) : 0)
            }
        }
        try LMDBError.check(code, "mdb_put")
    }

    /// Writes `value` under the integer `key`.
    package mutating func put(
        _ value: Span<UInt8>,
        for key: UInt64,
        in table: Table,
        mode: PutMode = .upsert
    ) throws(LMDBError) {
        var integer = key
        let code = unsafe withUnsafeMutableBytes(of: &integer) { keyBytes in
            unsafe value.withUnsafeBytes { valueBytes in
                var k = unsafe MDB_val(borrowing: UnsafeRawBufferPointer(keyBytes))
                var v = unsafe MDB_val(borrowing: valueBytes)
                return unsafe mdb_put(handle, table.handle, &k, &v, mode == .append ? UInt32(MDB_APPEND) : 0)
            }
        }
        try LMDBError.check(code, "mdb_put")
    }

    /// Removes `key` and tells whether it was there.
    @discardableResult
    package mutating func remove(_ key: Span<UInt8>, from table: Table) throws(LMDBError) -> Bool {
        let code = unsafe key.withUnsafeBytes { bytes in
            var k = unsafe MDB_val(borrowing: bytes)
            return unsafe mdb_del(handle, table.handle, &k, nil)
        }
        if code == MDB_NOTFOUND { return false }
        try LMDBError.check(code, "mdb_del")
        return true
    }
}

extension ReadTransaction {
    /// Opens a table that is there already.
    ///
    /// - Throws: ``LMDBError`` with `isMissing` if it isn't.
    package func openTable(_ name: String, hasIntegerKeys: Bool = false) throws(LMDBError) -> Table {
        var opened: MDB_dbi = 0
        let flags = hasIntegerKeys ? UInt32(MDB_INTEGERKEY) : 0
        unsafe try LMDBError.check(mdb_dbi_open(handle, name, flags, &opened), "open table \(name)")
        return Table(handle: opened)
    }
}

extension MDB_val {
    @unsafe init(borrowing bytes: UnsafeRawBufferPointer) {
        unsafe self.init(mv_size: bytes.count, mv_data: UnsafeMutableRawPointer(mutating: bytes.baseAddress))
    }

    @unsafe var bytes: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: mv_data, count: mv_size) }
}
