internal import LMDB

extension EventLog {
    /// Hands the events at `offsets` to `body` until it returns false.
    ///
    /// The whole call is one snapshot: keep it short. Neighbours in the log cost a step, others a search.
    ///
    /// - Parameter offsets: Ascending.
    /// - Throws: ``Damaged`` at the first event that isn't there or can't be read; what `body` throws.
    package func read(at offsets: [Offset], _ body: (borrowing Record) throws -> Bool) throws {
        guard !offsets.isEmpty else { return }
        try environment.read { transaction in
            try transaction.forEachValue(of: offsets, in: events) { offset, bytes in
                guard let bytes else { throw Damaged(offset: offset, reason: .missing) }
                return try body(try Self.record(bytes, at: offset))
            }
        }
    }
}
