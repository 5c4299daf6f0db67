extension EventLog {
    /// The offset of the last event at or before a time; 0 if all events are later.
    ///
    /// Times in the log never go back, so halving finds it: at most 1 + log2(head) reads.
    ///
    /// - Parameter milliseconds: Since 1970, in UTC.
    /// - Throws: ``Damaged`` if an event that it must look at can't be read.
    package func offset(atOrBefore milliseconds: UInt64) throws -> Offset {
        var low: Offset = 0
        var high = head
        while low < high {
            let middle = low + (high - low + 1) / 2
            let time = try withRecord(at: middle) { $0.header.milliseconds }
            if let time, time <= milliseconds { low = middle } else { high = middle - 1 }
        }
        return low
    }
}
