internal import Broker
internal import Cryptography
internal import LMDB

/// Applies the log to one view, slice by slice; confined to the thread that drives it.
///
/// A slice is one transaction: its events, then the checkpoint. How the log is cut into slices never shows in a view.
struct Projector {
    private var slicer: Slicer
    private var projection: any Projection
    /// The last event that the view reflects.
    private(set) var projected: Offset

    /// - Parameter reader: Where events come from that other views take as well; nil to read `log` alone. Needs a view
    ///   that has no events yet.
    init(
        _ store: ViewStore,
        log: EventLog,
        reader: SharedReading.Reader? = nil,
        bounds: SliceBounds = .live
    ) throws {
        slicer = Slicer(store: store, log: log, bounds: bounds, reader: reader)
        projection = store.projection.init(tables: store.tables)
        projected = try store.checkpoint().offset
    }

    var store: ViewStore { slicer.store }

    /// Applies the next events, `limit` at most, up to the log's head or `end`, and commits them.
    ///
    /// - Parameter progress: Told the last event that was applied, after every snapshot of the log; throw to give up.
    /// - Returns: Whether there were any.
    /// - Throws: ``PoisonEvent`` after having applied all events before it; ``LMDBError``. The view is then as it was
    ///   after the last commit.
    mutating func advance(
        limit: Int,
        upTo end: Offset = .max,
        progress: (Offset) throws -> Void = { _ in }
    ) throws -> Bool {
        let end = min(end, slicer.log.head)
        guard projected < end, limit > 0 else { return false }
        do {
            try commitSlice(upTo: projected + min(Offset(limit), end - projected), progress)
        } catch let poison as PoisonEvent {
            if poison.offset > projected + 1 { try commitSlice(upTo: poison.offset - 1, progress) }
            throw poison
        }
        return true
    }

    private mutating func commitSlice(upTo last: Offset, _ progress: (Offset) throws -> Void) throws {
        do {
            projected = try slicer.commit(&projection, after: projected, upTo: last, progress)
        } catch {
            projection.discard()
            throw error
        }
    }
}

/// What ends a slice before its events are at an end.
struct SliceBounds {
    /// The most bytes of events.
    var eventBytes = Int.max
    /// The most memory that the projection may take for what it hasn't written; looked at after each
    /// ``lookBytes`` of events.
    var heldBytes = Int.max
    static let lookBytes = 64 << 10
    /// After how many bytes of rows they are committed, in a file that nobody reads before it is finished.
    var partBytes: Int?

    /// For a view in use.
    static let live = SliceBounds(eventBytes: 32 << 20)
}

/// Where slices come from and go to.
private struct Slicer {
    let store: ViewStore
    let log: EventLog
    let bounds: SliceBounds
    var reader: SharedReading.Reader?

    /// Reading in short snapshots: the log reuses no page that a snapshot may need.
    private static let snapshotEvents = 8192

    /// Applies the events after `start`, and commits them.
    ///
    /// - Parameter projection: Opened once for all events: a look at an existential one in between copies it, and the
    ///   next change then all that it holds.
    /// - Returns: The last event that was applied, `last` unless a bound was reached before.
    mutating func commit<View: Projection>(
        _ projection: inout View,
        after start: Offset,
        upTo last: Offset,
        _ progress: (Offset) throws -> Void
    ) throws -> Offset {
        var reached = start
        let hasher = SHA256()
        let (bounds, sharer) = (bounds, reader)
        try store.environment.write(inPartsOf: bounds.partBytes) { transaction in
            var bytes = 0
            var lookedAt = 0
            var isFull = false
            while reached < last, !isFull {
                let start = reached
                reached = try read(after: start, upTo: last, of: View.eventTypes, with: hasher) { record in
                    do {
                        try projection.apply(record, in: &transaction, with: hasher)
                    } catch let error as LMDBError {
                        throw error
                    } catch {
                        throw PoisonEvent(offset: record.offset, type: record.header.type, reason: error)
                    }
                    bytes += record.bytes.count
                    if bytes - lookedAt >= SliceBounds.lookBytes {
                        lookedAt = bytes
                        let held = projection.heldBytes
                        isFull = held >= bounds.heldBytes || sharer?.holds(held) == true
                    }
                    if bytes >= bounds.eventBytes { isFull = true }
                    return !isFull
                }
                if reached == start {
                    throw PoisonEvent(offset: start + 1, type: nil, reason: RecordError.truncated)
                }
                try progress(reached)
            }
            try projection.flush(in: &transaction)
            let leafHash = try log.leafHash(at: reached)
            let checkpoint = Checkpoint(log: log.identity, offset: reached, leafHash: leafHash)
            try store.setCheckpoint(checkpoint, in: &transaction)
        }
        _ = sharer?.holds(0)
        return reached
    }

    /// Hands some events after `start` to `body`, those of `types`, up to `last` or until it returns false.
    ///
    /// - Returns: The last event that was handed over or passed.
    private mutating func read(
        after start: Offset,
        upTo last: Offset,
        of types: EventTypes,
        with hasher: borrowing SHA256,
        _ body: (borrowing Record) throws -> Bool
    ) throws -> Offset {
        do {
            if reader != nil {
                return try reader?.read(after: start, upTo: last, of: types, with: hasher, body) ?? start
            }
            var reached = start
            let limit = min(Self.snapshotEvents, Int(last - start))
            let take = { (record: borrowing Record) throws -> Bool in
                reached = record.offset
                return types.contains(record.header.type) ? try body(record) : true
            }
            // A rebuild reads what may have lain on the disk for years.
            if bounds.partBytes == nil {
                try log.readNewest(after: start, limit: limit, take)
            } else {
                try log.read(after: start, limit: limit, take)
            }
            return reached
        } catch let damage as EventLog.Damaged {
            throw PoisonEvent(offset: damage.offset, type: nil, reason: damage.reason)
        }
    }
}
