internal import LMDB

extension EventLog {
    /// Makes the log in `directory`, a backup that was put back, go on as a new epoch.
    ///
    /// What was appended after the backup was made is lost, and its offsets will be given again: a position counted
    /// there would point at other events. With the next epoch such a position is told from one in this log
    /// (``lastShared(with:)``). To be done before anything is appended, and while nobody has the log open. Returns when
    /// it is on disk.
    ///
    /// - Parameter mapBytes: The most that the file may grow to.
    /// - Returns: What the log is called from now on.
    /// - Throws: ``Unreadable`` if there is no log; ``LMDBError``, for one if this process has it open.
    @discardableResult
    package static func beginEpoch(directory: String, mapBytes: Int = 1 << 40) throws -> LogIdentity {
        try requireFile(in: directory)
        let environment = try Environment(path: directory, options: .init(mapBytes: mapBytes, tables: 8))
        return try environment.write { transaction in
            let table = try transaction.openTable("metadata")
            guard var metadata = try LogMetadata(in: transaction, table) else {
                throw Unreadable(description: "\(directory) holds no log")
            }
            let events = try transaction.openTable("events", hasIntegerKeys: true)
            metadata.beginEpoch(at: try transaction.lastIntegerKey(in: events) ?? 0)
            try metadata.write(in: &transaction, table)
            return metadata.identity
        }
    }

    /// The last offset up to which the log that was called `other` and this one have the same events.
    ///
    /// - Returns: Nil for another log. For this very epoch `.max`: no bound but the head, at which the caller looks.
    ///   For an epoch before this one the least head at which one after it began. For an epoch that this log hasn't
    ///   come to, 0: this is an older copy, and where the other one left it is not in it.
    package func lastShared(with other: LogIdentity) -> Offset? {
        guard other.id == identity.id else { return nil }
        guard other.epoch != identity.epoch else { return .max }
        guard other.epoch >= 1, other.epoch < identity.epoch else { return 0 }
        return beginnings.filter { $0.epoch > other.epoch }.map(\.head).min()
    }
}
