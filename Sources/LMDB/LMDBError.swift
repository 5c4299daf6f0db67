internal import CLMDB

/// A failed LMDB call.
///
/// Source: <http://www.lmdb.tech/doc/group__errors.html>
package struct LMDBError: Error, Hashable, CustomStringConvertible {
    /// The return code: negative for LMDB's own errors, positive for `errno`.
    package let code: Int32
    /// The function that failed.
    package let function: String

    /// Bytes in a table that no value of ours encodes to.
    package static func malformed(_ what: String) -> LMDBError { LMDBError(code: MDB_CORRUPTED, function: what) }

    /// Whether the cause may be want of room: the map is full, the disk is, or the file has reached the size that the
    /// process or the quota allows.
    ///
    /// LMDB reports a full disk as EIO when it writes less than it asked for, and as ENOSPC when the kernel says so at
    /// once; EIO has other causes as well.
    package var isOutOfSpace: Bool {
        code == MDB_MAP_FULL || [5, 27, 28, 122].contains(code)  // EIO, EFBIG, ENOSPC, EDQUOT
    }

    /// Whether the file is no environment that this version can read, or is damaged.
    package var isUnreadable: Bool {
        [MDB_INVALID, MDB_VERSION_MISMATCH, MDB_CORRUPTED, MDB_PAGE_NOTFOUND, MDB_INCOMPATIBLE].contains(code)
    }

    /// Whether the file is damaged, or no environment at all.
    package var isDamage: Bool {
        [MDB_INVALID, MDB_CORRUPTED, MDB_PAGE_NOTFOUND, MDB_MAP_RESIZED].contains(code)
    }

    /// Whether the environment doesn't exist.
    package var isMissing: Bool { code == 2 || code == MDB_NOTFOUND }  // ENOENT

    /// Whether this process has the environment open already.
    package var isOpenAlready: Bool { code == 16 }  // EBUSY

    package var description: String {
        let reason = unsafe String(cString: mdb_strerror(code))
        return "\(function): \(reason) (\(code))"
    }

    static func check(_ code: Int32, _ function: String) throws(LMDBError) {
        if code != MDB_SUCCESS { throw LMDBError(code: code, function: function) }
    }
}
