import Broker

/// A history as one JSON object, written row by row.
///
/// What the answer to a request for the history (type 2) has too has the same name here, and the rows have the same
/// fields. A row whose text was erased since has `"redacted":true` as well.
struct HistoryJSON: Sendable {
    func write(_ reading: inout HistoryReading, to output: inout StandardOutput) throws {
        let report = reading.report
        var object = JSONObjectWriter()
        object.text("account", report.reader.label)
        object.text("account_id", report.reader.id.description)
        if report.isRoom {
            object.text("room", report.other.id.uuidText)
            object.text("room_name", report.other.name)
        } else {
            object.text("peer", report.other.label)
            object.text("peer_id", report.other.id.description)
        }
        object.text("log", report.log.description)
        object.number("as_of", report.asOf)
        object.text("time", Timestamp.text(milliseconds: report.milliseconds))
        if report.limit != nil { object.flag("more", report.hasMore) }
        // Of a long history no more than a slice may be in memory, so the object is closed by hand.
        try output.write {
            $0.append(contentsOf: object.finished.dropLast())
            $0.append(contentsOf: ",\"content\":[".utf8)
        }
        var isFirst = true
        while let rows = try reading.next() {
            for row in rows {
                try output.write {
                    if !isFirst { $0.append(UInt8(ascii: ",")) }
                    $0.append(contentsOf: row.json.finished)
                }
                isFirst = false
            }
        }
        try output.line("]}")
    }
}

extension HistoryRow {
    fileprivate var json: JSONObjectWriter {
        var object = JSONObjectWriter()
        object.number("ID", offset)
        object.text("CreatedAt", Timestamp.text(milliseconds: created))
        object.text("UpdatedAt", Timestamp.text(milliseconds: updated))
        // What was deleted by then isn't shown.
        object.text("DeletedAt", nil)
        object.text("send_id", sender)
        object.text("receive_id", receiver)
        object.text("content", content ?? "")
        object.flag("is_read", isRead)
        if content == nil { object.flag("redacted", true) }
        return object
    }
}
