package import Cryptography
internal import LMDB

/// Consecutive events of a log, copied out of it with their checksums looked at: what several readers on several
/// threads share.
package struct LogChunk: Sendable {
    /// The first event that was looked for.
    package let first: Offset
    private var bytes: [UInt8] = []
    private var entries: [Entry] = []
    /// Of those that were asked for, in order.
    private var commitments: [Digest] = []
    private var types: EventTypes = []
    /// Why the event after the last one isn't here, if it can't be read.
    private var damage: EventLog.Damaged?

    private struct Entry {
        var end: Int
        var type: EventType
        /// The place of its commitment; negative for none.
        var commitment: Int32
    }

    /// Where the next one ends that would be too many.
    private static let mostBytes = 256 << 10
    private static let mostEvents = 1024

    /// The last event; one less than ``first`` if there is none.
    package var last: Offset { first + Offset(entries.count) - 1 }

    /// Whether it says nothing, not even that an event can't be read: the log ends before it.
    package var isEmpty: Bool { entries.isEmpty && damage == nil }

    /// Whether it has the event at `offset`, or says why that can't be read.
    package func covers(_ offset: Offset) -> Bool {
        offset >= first && (offset <= last || damage != nil && offset == last + 1)
    }

    /// Reads the events of `log` after `offset`: a quarter of a MiB, and at least one if there is one.
    ///
    /// - Parameters:
    ///   - types: Those whose payloads' commitments are computed now.
    ///   - hasher: For these.
    /// - Throws: `LMDBError`. Events that can't be read are reported where they are looked at.
    package init(
        of log: EventLog,
        after offset: Offset,
        committing types: EventTypes,
        with hasher: borrowing SHA256
    ) throws {
        first = offset + 1
        bytes.reserveCapacity(Self.mostBytes)
        entries.reserveCapacity(Self.mostEvents)
        do {
            try log.read(after: offset, limit: Self.mostEvents) { record in
                add(record, committing: types, with: hasher)
                return bytes.count < Self.mostBytes
            }
        } catch let damage as EventLog.Damaged {
            self.damage = damage
        }
    }

    private mutating func add(_ record: borrowing Record, committing types: EventTypes, with hasher: borrowing SHA256) {
        let type = record.header.type
        var entry = Entry(end: bytes.count + record.bytes.count, type: type, commitment: -1)
        if types.contains(type) {
            entry.commitment = Int32(commitments.count)
            commitments.append(record.commitment(with: hasher))
        }
        self.types.insert(type)
        bytes.append(record.bytes)
        entries.append(entry)
    }

    /// Hands the events after `offset`, up to `last`, to `body` until it returns false.
    ///
    /// - Parameters:
    ///   - types: Those that are handed over; the others are passed.
    /// - Returns: The last event that was handed over or passed.
    /// - Throws: ``EventLog/Damaged`` at the first event that can't be read; what `body` throws.
    package func read(
        after offset: Offset,
        upTo last: Offset,
        of types: EventTypes,
        _ body: (borrowing Record) throws -> Bool
    ) throws -> Offset {
        var index = Int(offset + 1 - first)
        let end = Int(min(last, self.last) + 1 - first)
        if !types.intersects(self.types) { index = max(index, end) }
        let all = bytes.span
        while index < end {
            let entry = entries[index]
            index += 1
            guard types.contains(entry.type) else { continue }
            let range = (index == 1 ? 0 : entries[index - 2].end)..<entry.end
            let commitment = entry.commitment < 0 ? nil : commitments[Int(entry.commitment)]
            let offset = first + Offset(index) - 1
            let record = try Record(trusting: all.extracting(range), at: offset, commitment: commitment)
            guard try body(record) else { return offset }
        }
        if last > self.last, let damage { throw damage }
        return first + Offset(index) - 1
    }
}
