internal import Broker
internal import Cryptography
internal import LMDB

/// Applies the log to one view, slice by slice; confined to the thread that drives it.
///
/// A slice is one transaction: its events, then the checkpoint. How the log is cut into slices never shows in a view.
struct Projector {
    let store: ViewStore
    private let log: EventLog
    private var projection: any Projection
    /// The last event that the view reflects.
    private(set) var projected: Offset

    /// A transaction's rows are kept in memory until it commits; past this many bytes of events it ends early.
    private let sliceBytes: Int
    /// Reading in short snapshots: the log reuses no page that a snapshot may need.
    private static let snapshotEvents = 8192

    init(_ store: ViewStore, log: EventLog, sliceBytes: Int = 32 << 20) throws {
        self.store = store
        self.sliceBytes = sliceBytes
        self.log = log
        projection = store.projection.init(tables: store.tables)
        projected = try store.checkpoint().offset
    }

    /// Applies the next events, `limit` at most, up to the log's head or `end`, and commits them.
    ///
    /// - Returns: Whether there were any.
    /// - Throws: ``PoisonEvent`` after having applied all events before it; ``LMDBError``. The view is then as it was
    ///   after the last commit.
    mutating func advance(limit: Int, upTo end: Offset = .max) throws -> Bool {
        let end = min(end, log.head)
        guard projected < end, limit > 0 else { return false }
        do {
            try commitSlice(limit: limit, upTo: end)
        } catch let poison as PoisonEvent {
            if poison.offset > projected + 1 { try commitSlice(limit: limit, upTo: poison.offset - 1) }
            throw poison
        }
        return true
    }

    private mutating func commitSlice(limit: Int, upTo end: Offset) throws {
        let last = min(end, projected + Offset(limit))
        var reached = projected
        do {
            let hasher = SHA256()
            try store.environment.write { transaction in
                var bytes = 0
                while reached < last, bytes < sliceBytes {
                    let start = reached
                    try readSnapshot(from: start, to: last) { record in
                        do {
                            try projection.apply(record, in: &transaction, with: hasher)
                        } catch let error as LMDBError {
                            throw error
                        } catch {
                            throw PoisonEvent(offset: record.offset, type: record.header.type, reason: error)
                        }
                        reached = record.offset
                        bytes += record.bytes.count
                        return reached < last && bytes < sliceBytes
                    }
                    if reached == start {
                        throw PoisonEvent(offset: start + 1, type: nil, reason: RecordError.truncated)
                    }
                }
                try projection.flush(in: &transaction)
                let leafHash = try log.leafHash(at: reached)
                let checkpoint = Checkpoint(log: log.identity, offset: reached, leafHash: leafHash)
                try store.setCheckpoint(checkpoint, in: &transaction)
            }
        } catch {
            projection.discard()
            throw error
        }
        projected = reached
    }

    private func readSnapshot(
        from start: Offset,
        to last: Offset,
        _ body: (borrowing Record) throws -> Bool
    ) throws {
        do {
            try log.read(after: start, limit: min(Self.snapshotEvents, Int(last - start)), body)
        } catch let damage as EventLog.Damaged {
            throw PoisonEvent(offset: damage.offset, type: nil, reason: damage.reason)
        }
    }
}
