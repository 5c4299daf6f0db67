internal import Cryptography
internal import LMDB

extension EventLog {
    /// Takes the payloads that `batch` redacts, and the names that it releases, out of their tables.
    ///
    /// In the commit of the events that say so. The bytes are still in the file, in pages that are free or half used,
    /// until ``compact()``.
    func erase(_ batch: EventBatch, in transaction: inout WriteTransaction) throws {
        if !batch.redactions.isEmpty {
            let hasher = SHA256()
            for offset in batch.redactions {
                let redacted = try Self.redactedRecord(at: offset, in: transaction, events, with: hasher)
                // Written over, a record that fills pages of its own would keep them, and its end with them.
                let key = InlineArray<8, UInt8> { UInt8(truncatingIfNeeded: offset >> (8 * UInt64($0))) }
                try transaction.remove(key.span, from: events)
                try transaction.put(redacted.span, for: offset, in: events)
            }
        }
        let claimed = batch.names.map(\.name)
        for name in batch.releasedNames where !claimed.contains(name) {
            try transaction.remove(name.span, from: names)
        }
    }

    private static func redactedRecord(
        at offset: Offset,
        in transaction: borrowing WriteTransaction,
        _ events: Table,
        with hasher: borrowing SHA256
    ) throws -> [UInt8] {
        guard let stored = try transaction.value(of: offset, in: events) else {
            throw Damaged(offset: offset, reason: .missing)
        }
        return try record(stored, at: offset).redacted(with: hasher)
    }

    /// All names that `account` goes by; none if there is no such account, or it was erased.
    ///
    /// Goes through all names: some milliseconds for 100,000.
    package func names(of account: AccountID) throws -> [AccountName] {
        var found: [AccountName] = []
        try environment.read { transaction in
            try transaction.scan(names) { name, value in
                guard value.count == Identifier.byteCount else { throw LMDBError.malformed("names") }
                if Identifier(value) == account { found.append(AccountName(trusting: [UInt8](copying: name))) }
                return true
            }
        }
        return found
    }

    /// The offsets of the events after `start`, up to the head at the time of the call, that `isWanted`.
    ///
    /// Goes through all of them, a slice at a time; others run in between.
    ///
    /// - Throws: ``Damaged`` at the first event that can't be read.
    func search(after start: Offset, for isWanted: (borrowing Record) -> Bool) async throws -> [Offset] {
        var found: [Offset] = []
        let end = head
        var reached = start
        while reached < end {
            try read(after: reached, limit: Int(min(8192, end - reached))) { record in
                reached = record.offset
                if isWanted(record) { found.append(record.offset) }
                return true
            }
            await Task.yield()
        }
        return found
    }
}
