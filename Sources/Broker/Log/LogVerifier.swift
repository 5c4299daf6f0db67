internal import Cryptography
internal import LMDB

/// Goes over the log an event at a time, and over the tree a tile at a time, and notes what is wrong.
///
/// It remembers the last revision of every stream and whose every name is, and nothing else that grows with the log.
struct LogVerifier: ~Copyable {
    private(set) var faults: [LogFault] = []
    private(set) var moreFaults: UInt64 = 0
    private(set) var isOfNewerVersion = true

    private let faultLimit: Int
    private let hasher = SHA256()
    private var leaves = LeafHasher()
    private var revisions: [StreamID: UInt64] = [:]
    /// The revisions that the streams had last, where those weren't due.
    private var detours: [StreamID: UInt64] = [:]
    private var references = ReferenceVerifier()
    private var names = NameVerifier()
    private var milliseconds: UInt64 = 0
    /// The last of the faults that weren't noted.
    private var lastUnnoted: LogFault?
    /// Whether streams may have had events before those that are looked at.
    private let isPart: Bool
    /// The leaves of the tile in hand, nil where the event can't be read.
    private var computed: [Digest?] = []

    /// - Parameter milliseconds: The time of the event before the first.
    init(isPart: Bool, milliseconds: UInt64, faultLimit: Int) {
        self.isPart = isPart
        self.milliseconds = milliseconds
        self.faultLimit = faultLimit
    }

    /// How many streams the events belong to.
    var streams: Int { revisions.count }

    mutating func note(_ fault: LogFault) {
        if !fault.isOfNewerVersion { isOfNewerVersion = false }
        if let last = lastUnnoted ?? faults.last, let both = last.joined(with: fault) {
            if lastUnnoted == nil { faults[faults.count - 1] = both } else { lastUnnoted = both }
        } else if faults.count < faultLimit {
            faults.append(fault)
        } else {
            moreFaults += 1
            lastUnnoted = fault
        }
    }

    // MARK: Events

    /// Looks at the events at `offsets`, at most a tile of them, which should all be there.
    mutating func verifyEvents(
        _ offsets: ClosedRange<Offset>,
        in transaction: borrowing ReadTransaction,
        _ events: Table
    ) throws {
        computed.removeAll(keepingCapacity: true)
        var expected = offsets.lowerBound
        try transaction.scan(events, from: expected) { position, bytes in
            guard position <= offsets.upperBound else { return false }
            if position > expected { noteMissing(expected...position - 1) }
            expected = position + 1
            computed.append(try verify(bytes, at: position, in: transaction, events))
            return position < offsets.upperBound
        }
        if expected <= offsets.upperBound { noteMissing(expected...offsets.upperBound) }
    }

    private mutating func noteMissing(_ offsets: ClosedRange<Offset>) {
        note(.missing(offsets))
        names.skipUnreadable()
        computed.append(contentsOf: repeatElement(nil, count: offsets.count))
    }

    /// Looks at one record, and returns its leaf if it can be read.
    private mutating func verify(
        _ bytes: Span<UInt8>,
        at offset: Offset,
        in transaction: borrowing ReadTransaction,
        _ events: Table
    ) throws -> Digest? {
        let record: Record
        do throws(RecordError) {
            record = try Record(bytes, at: offset)
        } catch {
            note(.unreadable(offset, error))
            names.skipUnreadable()
            // What is left of a damaged event keeps its stream from seeming to have a gap.
            if let record = try? Record(trusting: bytes, at: offset), let last = revisions[record.header.stream],
                last &+ 1 == record.header.revision
            {
                revisions[record.header.stream] = record.header.revision
            }
            return nil
        }
        verify(record.header, at: offset)
        if let fault = try references.verify(record, in: transaction, events) { note(fault) }
        verifyPayload(of: record)
        return leaves.hash(record, with: hasher)
    }

    private mutating func verifyPayload(of record: borrowing Record) {
        do throws(RecordError) {
            if record.isRedacted { return }
            guard record.header.payloadClass != .empty || record.payload.isEmpty else {
                throw .payload(record.header.type)
            }
            // Most are messages. What isn't plainly right is looked at by the decoder, which has the last word.
            if record.header.type == .messageSent || record.header.type == .messageEdited, record.header.version == 1,
                MessagePayload.isPlain(record.payload)
            {
                return
            }
            names.apply(record.header, try record.decodePayload(), at: record.offset)
        } catch {
            note(.unreadable(record.offset, error))
            names.skipUnreadable()
        }
    }

    private mutating func verify(_ header: EventHeader, at offset: Offset) {
        if header.milliseconds < milliseconds {
            note(.timeGoesBack(offset, from: milliseconds, to: header.milliseconds))
        }
        milliseconds = max(milliseconds, header.milliseconds)
        let last = revisions.updateValue(header.revision, forKey: header.stream)
        // A stream that went wrong may go on from what it should have been, or from what it was.
        let detour = detours.isEmpty ? nil : detours.removeValue(forKey: header.stream)
        guard let last = last ?? (isPart ? nil : 0), header.revision != last &+ 1 else { return }
        if let detour, header.revision == detour &+ 1 { return }
        note(.revision(offset, stream: header.stream, found: header.revision, expected: last &+ 1))
        revisions[header.stream] = last &+ 1
        detours[header.stream] = header.revision
    }

    /// Looks at what only all events together show.
    ///
    /// - Parameter end: The last event that was looked at.
    mutating func verifyWhole(
        after end: Offset,
        in transaction: borrowing ReadTransaction,
        events: Table,
        names table: Table
    ) throws {
        for offset in try references.unexplained(after: end, in: transaction, events) {
            note(.unexplainedRedaction(offset))
        }
        guard !isPart, !names.isIncomplete else { return }
        for fault in try names.compare(after: end, in: transaction, events: events, names: table) { note(fault) }
    }

    // MARK: Hashes

    /// Looks at a tile of leaves, and holds the events that were looked at last against it.
    ///
    /// - Parameter above: The hash over it, if it is full and that hash is to be had.
    mutating func verifyLeaves(_ tile: StoredTile, above: Digest?) {
        noteDamage(of: tile)
        var altered: [Offset] = []
        for index in 0..<min(tile.width, computed.count) where !tile.isDamaged(at: index) {
            guard let leaf = computed[index], leaf != TileHashes.hash(at: index, in: tile.bytes.span) else { continue }
            altered.append(tile.first + UInt64(index) + 1)
        }
        if let above, !leads(tile.bytes.span, of: tile, to: above) {
            // If every event has its leaf, it is the hash above that was changed.
            let isOfTheseEvents = altered.isEmpty && computed.allSatisfy { $0 != nil }
            note(.hashesAltered(level: isOfTheseEvents ? 1 : 0, tile.offsets))
            // If the events lead to the hash above and the tile doesn't, the tile was changed, and not they.
            if !altered.isEmpty, leads(filledIn(tile).span, of: tile, to: above) { return }
        }
        for offset in altered { note(.altered(offset)) }
    }

    /// Looks at a tile above the leaves, of which the level below has been looked at.
    mutating func verifyTile(_ tile: StoredTile, above: Digest?) {
        noteDamage(of: tile)
        if let above, !leads(tile.bytes.span, of: tile, to: above) {
            note(.hashesAltered(level: tile.level, tile.offsets))
        }
    }

    private mutating func noteDamage(of tile: StoredTile) {
        for row in tile.damagedRows {
            let offsets = TreeTables.offsets(level: tile.level, row: row)
            note(.hashesDamaged(level: tile.level, offsets.clamped(to: tile.offsets)))
        }
    }

    /// Whether the hashes of a full tile, none of which is damaged, lead to `above`; true of others.
    private func leads(_ hashes: Span<UInt8>, of tile: StoredTile, to above: Digest) -> Bool {
        guard tile.damagedRows.isEmpty, tile.width == TileCoordinate.fullWidth else { return true }
        return TileHashes.node(level: TileCoordinate.height, in: hashes, with: hasher) == above
    }

    /// The leaves of the events that were looked at last; the tile stands in for those that can't be read.
    private func filledIn(_ tile: StoredTile) -> [UInt8] {
        var bytes: [UInt8] = []
        for index in 0..<tile.width {
            let leaf = index < computed.count ? computed[index] : nil
            bytes.append((leaf ?? TileHashes.hash(at: index, in: tile.bytes.span)).bytes.span)
        }
        return bytes
    }
}

/// A tile as far as it can be read.
struct StoredTile {
    let level: Int
    /// The index of its first hash on its level.
    let first: UInt64
    /// How many hashes it should have.
    let width: Int
    /// The hashes, one after the other; zeros for those that aren't there or are damaged.
    private(set) var bytes: [UInt8] = []
    /// The rows that aren't there or are damaged.
    private(set) var damagedRows: [UInt64] = []

    init(
        level: Int,
        _ range: Range<UInt64>,
        in transaction: borrowing ReadTransaction,
        _ tables: TreeTables
    ) throws {
        self.level = level
        first = range.lowerBound
        width = range.count
        bytes.reserveCapacity(width * Digest.byteCount)
        try tables.forEachRow(level: level, range, in: transaction) { row, hashes in
            if let hashes {
                bytes.append(hashes)
            } else {
                damagedRows.append(row)
                let count = min(TreeRow.width, range.count - bytes.count / Digest.byteCount)
                bytes.append(contentsOf: repeatElement(0, count: count * Digest.byteCount))
            }
        }
    }

    /// Whether nothing of it is there.
    var isGone: Bool { damagedRows.count * TreeRow.width >= width }

    /// The events below it.
    var offsets: ClosedRange<Offset> {
        let height = TileCoordinate.height * level
        return first << height + 1...(first + UInt64(width)) << height
    }

    func isDamaged(at index: Int) -> Bool {
        !damagedRows.isEmpty && damagedRows.contains((first + UInt64(index)) / UInt64(TreeRow.width))
    }
}
