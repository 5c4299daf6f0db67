internal import CLMDB
internal import Foundation
internal import Synchronization

/// A memory-mapped file that holds tables: one writer at a time, readers never block.
///
/// ```swift
/// let environment = try Environment(path: "data/log", options: .init(tables: 4))
/// let table = try environment.write { try $0.openTable("names") }
/// try environment.write { try $0.put(value.span, for: key.span, in: table) }
/// ```
///
/// Any thread may read; a write transaction must begin and end on one thread, so writing belongs on a thread of one's
/// own. Never keep a transaction across a suspension: an old reader makes the file grow.
///
/// Source: <http://www.lmdb.tech/doc/>
@safe
package final class Environment: @unchecked Sendable {
    /// How an environment is opened.
    package struct Options: Sendable {
        /// The most that the file may grow to, in bytes; address space, not memory.
        package var mapBytes: Int
        /// The most tables.
        package var tables: Int
        /// The most read transactions at once, over all processes.
        package var readers: Int
        /// Whether a commit returns only when it is on disk.
        ///
        /// When false, the file is consistent after a crash of the process, and must be thrown away after a crash of
        /// the machine.
        package var isDurable: Bool
        /// Whether the environment is only read.
        ///
        /// Another process may be writing.
        package var isReadOnly: Bool

        package init(
            mapBytes: Int = 1 << 40,
            tables: Int = 16,
            readers: Int = 512,
            isDurable: Bool = true,
            isReadOnly: Bool = false
        ) {
            self.mapBytes = mapBytes
            self.tables = tables
            self.readers = readers
            self.isDurable = isDurable
            self.isReadOnly = isReadOnly
        }
    }

    /// The directory that holds `data.mdb` and `lock.mdb`.
    package var path: String { location.withLock { $0 } }

    /// How it was opened.
    package let options: Options

    private let location: Mutex<String>

    // `MDB_env` may be shared between threads (lmdb.h, "Caveats"); the handle never changes: hence @unchecked Sendable.
    @usableFromInline let handle: OpaquePointer

    /// The environments of this process: a second open of one would void its locks.
    private static let open = Mutex<Set<String>>([])

    /// The library's version, as in `0.9.24`.
    package static var libraryVersion: String {
        var (major, minor, patch): (Int32, Int32, Int32) = (0, 0, 0)
        _ = unsafe mdb_version(&major, &minor, &patch)
        return "\(major).\(minor).\(patch)"
    }

    /// Opens the environment in the directory `path`, which is made when missing, unless read only.
    ///
    /// - Parameter checksLength: Whether a file that was cut off is refused; otherwise ``verifyPages(limit:progress:)``
    ///   must come before anything is read.
    /// - Throws: ``LMDBError``; EBUSY (16) if this process has it open already.
    package init(path: String, options: Options, checksLength: Bool = true) throws(LMDBError) {
        if !options.isReadOnly {
            try? FileManager.default.createDirectory(
                atPath: path,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
        }
        let canonical = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        location = Mutex(canonical)
        self.options = options
        guard Self.open.withLock({ $0.insert(canonical).inserted }) else {
            throw LMDBError(code: 16, function: "open \(path)")
        }
        var created: OpaquePointer?
        do throws(LMDBError) {
            unsafe try LMDBError.check(mdb_env_create(&created), "mdb_env_create")
            unsafe try LMDBError.check(mdb_env_set_mapsize(created, options.mapBytes), "mdb_env_set_mapsize")
            unsafe try LMDBError.check(mdb_env_set_maxdbs(created, MDB_dbi(options.tables)), "mdb_env_set_maxdbs")
            unsafe try LMDBError.check(
                mdb_env_set_maxreaders(created, UInt32(options.readers)),
                "mdb_env_set_maxreaders"
            )
            var flags = MDB_NOTLS
            if !options.isDurable { flags |= MDB_NOSYNC }
            if options.isReadOnly { flags |= MDB_RDONLY }
            unsafe try LMDBError.check(mdb_env_open(created, path, UInt32(flags), 0o600), "open \(path)")
        } catch {
            if let created = unsafe created { unsafe mdb_env_close(created) }
            _ = Self.open.withLock { $0.remove(canonical) }
            throw error
        }
        guard let opened = unsafe created else { preconditionFailure("mdb_env_create succeeded without a handle") }
        unsafe self.handle = opened
        // A reader of a process that died keeps pages from being used again until somebody looks.
        var dead: Int32 = 0
        unsafe mdb_reader_check(opened, &dead)
        if checksLength { try requireWholeFile() }
    }

    deinit {
        unsafe mdb_env_close(handle)
        let canonical = path
        _ = Self.open.withLock { $0.remove(canonical) }
    }

    /// Flushes what commits without durability have written.
    ///
    /// Returns when it is on disk.
    package func flush() throws(LMDBError) {
        unsafe try LMDBError.check(mdb_env_sync(handle, 1), "mdb_env_sync")
    }

    /// How many write transactions have been committed since the environment was made, also by other processes.
    package func commits() throws(LMDBError) -> Int {
        var information = unsafe MDB_envinfo()
        unsafe try LMDBError.check(mdb_env_info(handle, &information), "mdb_env_info")
        return unsafe Int(information.me_last_txnid)
    }

    /// Writes a compacted copy into the directory `path`, which must be there and empty.
    package func copy(to path: String) throws(LMDBError) {
        unsafe try LMDBError.check(mdb_env_copy2(handle, path, UInt32(MDB_CP_COMPACT)), "copy to \(path)")
    }

    /// Renames the directory to `path`, which must not be there.
    ///
    /// Transactions in progress don't notice.
    package func move(to path: String) throws {
        try location.withLock { location in
            try FileManager.default.moveItem(atPath: location, toPath: path)
            let new = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
            Self.open.withLock { open in
                open.remove(location)
                open.insert(new)
            }
            location = new
        }
    }

    @usableFromInline @unsafe
    func begin(readOnly: Bool) throws(LMDBError) -> OpaquePointer {
        var begun: OpaquePointer?
        let flags = readOnly ? UInt32(MDB_RDONLY) : 0
        unsafe try LMDBError.check(mdb_txn_begin(handle, nil, flags, &begun), "mdb_txn_begin")
        guard let begun = unsafe begun else { preconditionFailure("mdb_txn_begin succeeded without a handle") }
        return unsafe begun
    }

    /// Begins a snapshot of the environment, which ends with the value.
    ///
    /// For what keeps other things beside the snapshot; ``read(_:)`` for all else.
    package func snapshot() throws(LMDBError) -> ReadTransaction {
        unsafe ReadTransaction(handle: try begin(readOnly: true), of: self)
    }

    /// Runs `body` on a snapshot of the environment.
    @inlinable
    package func read<Result>(_ body: (borrowing ReadTransaction) throws -> Result) throws -> Result {
        let transaction = try snapshot()
        return try body(transaction)
    }

    /// Runs `body` in the one write transaction, and commits if it returns.
    ///
    /// If it throws, nothing has changed.
    ///
    /// - Parameter partBytes: For a file that nobody reads before it is finished: rows that are loaded are committed
    ///   after each so many bytes, so that a long run of them keeps few pages in memory. If `body` throws, what was
    ///   committed stays.
    @inlinable
    package func write<Result>(
        inPartsOf partBytes: Int? = nil,
        _ body: (inout WriteTransaction) throws -> Result
    ) throws -> Result {
        var transaction = unsafe WriteTransaction(handle: try begin(readOnly: false), partBytes: partBytes)
        let result = try body(&transaction)
        try transaction.commit()
        return result
    }
}
