internal import LMDB

extension EventLog {
    /// Looks at the pages of the log's file before anything is read from them.
    ///
    /// A server may be appending meanwhile. A gigabyte takes about a second.
    ///
    /// - Parameters:
    ///   - directory: Where the log is.
    ///   - faultLimit: How many faults are noted, at most.
    ///   - progress: Told now and then how many of how many pages are done. What it throws ends it.
    /// - Returns: Faults of pages; empty if the log can be opened and read without danger.
    /// - Throws: ``Unreadable`` if there is no log; `LMDBError` if it can't be opened; what `progress` throws.
    package static func verifyPages(
        in directory: String,
        faultLimit: Int = 100,
        progress: (_ done: UInt64, _ total: UInt64) throws -> Void = { _, _ in }
    ) throws -> [LogFault] {
        let options = Environment.Options(tables: 8, isReadOnly: true)
        do {
            let environment = try openEnvironment(in: directory, options: options, checksLength: false)
            return try environment.verifyPages(limit: faultLimit, progress: progress).map { .page($0.page, $0.reason) }
        } catch let error as LMDBError where error.isDamage {
            return [.page(0, "isn't the beginning of a log: \(error)")]
        }
    }
}
