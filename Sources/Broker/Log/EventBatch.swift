internal import LMDB

/// Events that become durable in one commit, oldest first, and afterwards what everybody who follows the log reads.
///
/// One run of bytes holds all records: it is written to the log as it is, and shared by all event loops.
package struct EventBatch: Sendable {
    /// One event in the batch.
    package struct Entry: Sendable {
        package var header: EventHeader
        var range: Range<Int>
    }

    /// The offset of the first event.
    package let first: Offset
    package private(set) var entries: [Entry] = []
    package private(set) var bytes: [UInt8] = []
    /// The types of the events.
    package private(set) var types: EventTypes = []
    /// Account names that the batch claims.
    private(set) var names: [(name: [UInt8], id: AccountID)] = []
    /// Account names that belong to nobody any more; one of them may be claimed anew by ``names``.
    package private(set) var releasedNames: [[UInt8]] = []
    /// The events, of before or of the batch itself, whose payloads go in the same commit.
    private(set) var redactions: [Offset] = []

    package init(first: Offset) { self.first = first }

    /// An empty batch with room for as much as `last` holds: one batch is much like the next.
    init(first: Offset, like last: EventBatch) {
        self.first = first
        entries.reserveCapacity(last.entries.count + last.entries.count / 8)
        bytes.reserveCapacity(last.bytes.count + last.bytes.count / 8)
    }

    /// The offset that the next event gets.
    package var next: Offset { first + Offset(entries.count) }
    /// The offset of the last event; the one before ``first`` if there is none.
    package var last: Offset { next - 1 }
    package var isEmpty: Bool { entries.isEmpty }

    /// Calls `body` with the record at `index`.
    package func withRecord<Result>(at index: Int, _ body: (borrowing Record) throws -> Result) throws -> Result {
        let record = try Record(trusting: bytes.span.extracting(entries[index].range), at: first + Offset(index))
        return try body(record)
    }

    /// Calls `body` with the payload of the event at `index`.
    package func withPayload<Result>(at index: Int, _ body: (Span<UInt8>) throws -> Result) rethrows -> Result {
        let range = entries[index].range
        let payload = range.lowerBound + EventHeader.byteCount + Record.saltByteCount
        return try body(bytes.span.extracting(payload..<range.upperBound - Record.checksumByteCount))
    }

    /// Appends an event.
    ///
    /// - Parameter salt: 16 random bytes.
    package mutating func append(header: EventHeader, salt: (UInt64, UInt64), payload: Span<UInt8>) {
        let start = bytes.count
        Record.append(header: header, salt: salt, payload: payload, to: &bytes)
        entries.append(Entry(header: header, range: start..<bytes.count))
        types.insert(header.type)
    }

    mutating func claim(_ name: AccountName, for id: AccountID) { names.append((name.utf8, id)) }

    mutating func release(_ name: AccountName) {
        names.removeAll { $0.name == name.utf8 }
        releasedNames.append(name.utf8)
    }

    mutating func redact(_ offset: Offset) { redactions.append(offset) }
}
