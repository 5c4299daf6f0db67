import Broker

/// Reads the log in slices and prints what the query wants.
///
/// Memory: a slice, and the names of accounts and rooms.
struct AuditListing {
    let folder: DataFolder
    let log: EventLog
    let query: AuditQuery

    /// Prepares to list from `log`; the views in `folder` are asked for names if they are there.
    init(folder: DataFolder, log: EventLog, query: AuditQuery) {
        self.folder = folder
        self.log = log
        self.query = query
    }

    /// Prints the events that are in the log now.
    ///
    /// - Throws: `EventLog.Damaged` or ``CommandFailure`` at the first event that can't be read, after those before it.
    func write(_ format: AuditFormat, to output: inout StandardOutput) throws {
        let printer: any AuditPrinter =
            switch format {
            case .table: AuditTable(head: log.head)
            case .json: AuditJSON()
            case .csv: AuditCSV()
            }
        try output.write(printer.header)
        guard let range = try query.range(in: log) else { return }
        var names = AuditNames()
        try names.prepare(for: range.lowerBound, of: log, in: folder)
        var reader = AuditEventReader(log: log, query: query, names: names)
        var left = query.limit ?? .max
        var next = range.lowerBound
        while left > 0, next <= range.upperBound {
            // Printed outside of the snapshot, since a reader of the output may be slow.
            let slice = reader.slice(from: next, to: range.upperBound, limit: left)
            for event in slice.events { try output.write { printer.append(event, to: &$0) } }
            if let error = slice.error { throw error }
            left -= slice.events.count
            next = slice.next
        }
    }
}

/// One of the formats.
protocol AuditPrinter: Sendable {
    /// Appends what comes before the first event.
    func header(_ bytes: inout [UInt8])
    /// Appends the event, with the end of its line.
    func append(_ event: AuditEvent, to bytes: inout [UInt8])
}
