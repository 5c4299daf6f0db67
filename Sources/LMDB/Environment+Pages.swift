internal import CLMDB
internal import Foundation

/// A page of an environment's file that isn't as LMDB writes pages.
package struct PageFault: Equatable, Sendable {
    /// The number of the page in the file, from 0.
    package var page: UInt64
    /// As in `is in use twice`.
    package var reason: String
}

extension Environment {
    /// Looks at every page that is in use or said to be free: that LMDB can walk all tables without leaving the file or
    /// its pages, that keys are in order, and that as many pages and rows are there as the tables say.
    ///
    /// LMDB trusts the file: of a damaged page it reads whatever the numbers in it lead to, and the process may be
    /// killed. So what may be damaged is looked at like this first, after being opened with `checksLength: false`.
    /// Values aren't looked at. One snapshot; another process may be writing meanwhile, and its file grows by as much.
    /// A gigabyte takes about a second.
    ///
    /// - Parameter progress: Told now and then how many of how many pages are done. What it throws ends it.
    /// - Returns: At most `limit` faults; empty for a file as it should be.
    /// - Throws: ``LMDBError``; what `progress` throws.
    package func verifyPages(
        limit: Int = 100,
        progress: (_ done: UInt64, _ total: UInt64) throws -> Void = { _, _ in }
    ) throws -> [PageFault] {
        var statistics = MDB_stat()
        unsafe try LMDBError.check(mdb_env_stat(handle, &statistics), "mdb_env_stat")
        // A writer may be changing one of the metas while they are read, or both before they are.
        for _ in 0..<Self.mostTries {
            let transaction = try snapshot()
            let id = unsafe UInt64(mdb_txn_id(transaction.handle))
            // After the snapshot has begun: the file is as long as it was then, or longer.
            let reader = try PageReader(path: path + "/data.mdb", pageBytes: Int(statistics.ms_psize))
            guard let meta = try Self.meta(of: id, in: reader) else { continue }
            var verifier = PageVerifier(reader, meta, limit: limit)
            try verifier.verify(progress)
            _ = consume transaction
            return verifier.faults
        }
        let reason = "doesn't name the last commit, or the other one not that before: it was changed"
        return [PageFault(page: 0, reason: reason)]
    }

    private static let mostTries = 1000

    /// The meta of the commit `id`, if the other meta is of the commit beside it, as it should be.
    private static func meta(of id: UInt64, in reader: PageReader) throws -> PageReader.Meta? {
        let (even, odd) = try reader.metas()
        let isNew = even.transaction == 0 && odd.transaction == 0
        let areNeighbours = even.transaction &+ 1 == odd.transaction || odd.transaction &+ 1 == even.transaction
        guard isNew || (areNeighbours && even.transaction.isMultiple(of: 2)) else { return nil }
        let meta = id.isMultiple(of: 2) ? even : odd
        return meta.transaction == id ? meta : nil
    }

    /// Looks whether the file is as long as its pages, and if it isn't, whether one that is in use is missing.
    ///
    /// Pages at the end that no table needs may never have been written. To read one that isn't there would end the
    /// process with a signal.
    ///
    /// - Throws: ``LMDBError`` with `isUnreadable`.
    func requireWholeFile() throws(LMDBError) {
        var info = unsafe MDB_envinfo()
        var statistics = MDB_stat()
        unsafe try LMDBError.check(mdb_env_info(handle, &info), "mdb_env_info")
        unsafe try LMDBError.check(mdb_env_stat(handle, &statistics), "mdb_env_stat")
        let needed = unsafe (UInt64(info.me_last_pgno) + 1) * UInt64(statistics.ms_psize)
        let file = path + "/data.mdb"
        let attributes = try? FileManager.default.attributesOfItem(atPath: file)
        guard let size = (attributes?[.size] as? NSNumber)?.uint64Value, size < needed else { return }
        guard let faults = try? verifyPages(limit: 1), faults.isEmpty else {
            throw .malformed("\(file) was cut off at byte \(size), of \(needed): restore a backup")
        }
    }
}
