import Broker

/// Reads the log in slices and prints what the query wants.
///
/// Memory: a slice, and the names of accounts and rooms.
struct AuditListing {
    let folder: DataFolder
    let log: EventLog
    let query: AuditQuery
    private var names = AuditNames()
    /// Events read in one snapshot; printing happens outside, since a reader of the output may be slow.
    private let sliceEvents = 1024

    /// Prepares to list from `log`; the views in `folder` are asked for names if they are there.
    init(folder: DataFolder, log: EventLog, query: AuditQuery) {
        self.folder = folder
        self.log = log
        self.query = query
    }

    /// Prints the events that are in the log now.
    ///
    /// - Throws: `EventLog.Damaged` or ``CommandFailure`` at the first event that can't be read, after those before it.
    mutating func write(_ format: AuditFormat, to output: inout StandardOutput) throws {
        let printer: any AuditPrinter =
            switch format {
            case .table: AuditTable(head: log.head)
            case .json: AuditJSON()
            case .csv: AuditCSV()
            }
        try output.write(printer.header)
        guard let range = try query.range(in: log) else { return }
        try names.prepare(for: range.lowerBound, of: log, in: folder)
        var left = query.limit ?? .max
        var next = range.lowerBound
        while left > 0, next <= range.upperBound {
            let slice = try slice(from: next, to: range.upperBound, limit: left)
            for event in slice.events { try output.write { printer.append(event, to: &$0) } }
            if let error = slice.error { throw error }
            left -= slice.events.count
            next = slice.next
        }
    }

    private mutating func slice(
        from first: Offset,
        to last: Offset,
        limit: Int
    ) throws -> (events: [AuditEvent], next: Offset, error: (any Error)?) {
        var events: [AuditEvent] = []
        var next = first
        do {
            try log.read(after: first - 1, limit: Int(min(last - first + 1, Offset(sliceEvents)))) { record in
                next = record.offset + 1
                guard query.matches(record.header) else {
                    try names.learn(record)
                    return true
                }
                let payload = try record.readPayload()
                names.learn(record.header, payload)
                events.append(AuditEvent(record, payload: payload, names: &names))
                return events.count < limit
            }
        } catch {
            return (events, next, error)
        }
        return (events, next == first ? last + 1 : next, nil)
    }
}

/// One of the formats.
protocol AuditPrinter: Sendable {
    /// Appends what comes before the first event.
    func header(_ bytes: inout [UInt8])
    /// Appends the event, with the end of its line.
    func append(_ event: AuditEvent, to bytes: inout [UInt8])
}
