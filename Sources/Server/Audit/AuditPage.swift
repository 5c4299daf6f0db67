import Broker

/// A page of `/audit/events`: which events are wanted, and how much may be read and shown for it.
struct AuditPage: Sendable {
    /// With a limit.
    let query: AuditQuery
    /// The last event that may be shown.
    let end: Offset
    /// The page ends with the event whose payload reaches this sum.
    let payloadBytes: Int
    /// The most events that are looked at.
    let scanEvents: Int

    /// What is on it.
    struct Content {
        /// Each a JSON object, as `quipu audit list --format json` prints it.
        var events: [[UInt8]] = []
        /// The next page is after this.
        var next: Offset
        /// Whether events up to ``AuditPage/end`` haven't been looked at.
        var hasMore = false
        /// Why the log can't be read any further.
        var error: (any Error)?
    }

    /// Reads the page, in short snapshots and in between letting others have the thread.
    func read(from log: EventLog, names: AuditNames) async -> Content {
        var content = Content(next: max(query.after, end))
        let found: ClosedRange<Offset>?
        do {
            found = try query.range(in: log)
        } catch {
            content.error = error
            return content
        }
        guard let range = found, range.lowerBound <= end else { return content }
        let last = min(range.upperBound, end)
        let lastLookedAt = min(last, range.lowerBound + Offset(scanEvents) - 1)
        var reader = AuditEventReader(log: log, query: query, names: names)
        var left = (events: query.limit ?? .max, bytes: payloadBytes)
        var next = range.lowerBound
        while left.events > 0, left.bytes > 0, next <= lastLookedAt {
            let slice = reader.slice(from: next, to: lastLookedAt, limit: left.events, payloadBytes: left.bytes)
            content.events += slice.events.map { AuditJSON.object($0).finished }
            left.events -= slice.events.count
            left.bytes -= slice.payloadBytes
            next = slice.next
            if let error = slice.error {
                content.error = error
                return content
            }
            await Task.yield()
        }
        if next <= last {
            content.hasMore = true
            content.next = next - 1
        }
        return content
    }

    /// The page as one JSON object.
    func json(_ content: Content) -> [UInt8] {
        var json = Array("{\"events\":[".utf8)
        json.reserveCapacity(content.events.reduce(100) { $0 + $1.count + 1 })
        for (index, event) in content.events.enumerated() {
            if index > 0 { json.append(UInt8(ascii: ",")) }
            json.append(contentsOf: event)
        }
        json.append(contentsOf: "],\"more\":\(content.hasMore),\"next\":\(content.next),\"as_of\":\(end)}".utf8)
        return json
    }
}
