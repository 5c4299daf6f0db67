import Broker

extension UnreadReport {
    /// The report as a line of JSON.
    ///
    /// What a type 4 answer has too has the same name here.
    var json: [UInt8] {
        var object = JSONObjectWriter()
        object.text("account", account)
        object.text("account_id", id.description)
        object.text("log", log.description)
        object.number("as_of", asOf)
        object.text("time", milliseconds.map { Timestamp.text(milliseconds: $0) })
        if isWhole { object.number("total_counts", UInt64(directCount)) }
        object.objects("unread_counts", rows.filter { !$0.isRoom }.map(\.json))
        if isWhole { object.number("total_room_counts", UInt64(roomCount)) }
        object.objects("room_counts", rows.filter(\.isRoom).map(\.json))
        object.object("view", comparison.map { json(of: $0) })
        return object.finished + [UInt8(ascii: "\n")]
    }

    private func json(of comparison: Comparison) -> JSONObjectWriter {
        var object = JSONObjectWriter()
        switch comparison {
        case .compared(let offset, let differences):
            object.flag("agrees", differences.isEmpty)
            object.number("as_of", offset)
            object.number("behind", asOf - offset)
            object.objects("differences", differences.map(\.json))
        case .absent(let reason), .unreadable(let reason):
            object.flag("agrees", nil)
            object.text("reason", reason)
        }
        return object
    }
}

extension UnreadReport.Row {
    fileprivate var json: JSONObjectWriter {
        var object = JSONObjectWriter()
        object.party(party, isRoom: isRoom)
        if isRoom { object.number("joined", joined) }
        object.number("read_up_to", mark)
        object.number("unread_count", UInt64(unread.count))
        object.numbers("offsets", unread)
        return object
    }
}

extension UnreadDifference {
    fileprivate var json: JSONObjectWriter {
        var object = JSONObjectWriter()
        object.party(party, isRoom: isRoom)
        object.number("log", log)
        object.number("view", view)
        return object
    }
}

extension JSONObjectWriter {
    fileprivate mutating func party(_ party: AuditEvent.Party, isRoom: Bool) {
        if isRoom {
            text("room", party.id.uuidText)
            text("room_name", party.name)
        } else {
            text("send_id", party.name)
            text("peer_id", party.id.description)
        }
    }
}
