import Broker

/// Reads the events that a query wants, a slice of the log in each snapshot.
struct AuditEventReader {
    let log: EventLog
    let query: AuditQuery
    private(set) var names: AuditNames

    /// Events looked at in one snapshot.
    private static let sliceEvents: Offset = 1024

    /// - Parameter names: Prepared for the first event that will be read.
    init(log: EventLog, query: AuditQuery, names: AuditNames) {
        self.log = log
        self.query = query
        self.names = names
    }

    struct Slice {
        /// Those that the query wants.
        var events: [AuditEvent] = []
        /// How many bytes their payloads have.
        var payloadBytes = 0
        /// The first event that wasn't looked at.
        var next: Offset
        /// Why it ends here: the event at ``next`` or one after it can't be read.
        var error: (any Error)?
    }

    /// Reads on at `first`, until `last`, `limit` events, or the event whose payload reaches `payloadBytes`.
    mutating func slice(from first: Offset, to last: Offset, limit: Int, payloadBytes: Int = .max) -> Slice {
        var slice = Slice(next: first)
        do {
            try log.read(after: first - 1, limit: Int(min(last - first + 1, Self.sliceEvents))) { record in
                slice.next = record.offset + 1
                guard query.matches(record.header) else {
                    try names.learn(record)
                    return true
                }
                let payload = try record.readPayload()
                names.learn(record.header, payload)
                slice.events.append(AuditEvent(record, payload: payload, names: &names))
                slice.payloadBytes += record.payload.count
                return slice.events.count < limit && slice.payloadBytes < payloadBytes
            }
            if slice.next == first { slice.next = last + 1 }
        } catch {
            slice.error = error
        }
        return slice
    }
}
