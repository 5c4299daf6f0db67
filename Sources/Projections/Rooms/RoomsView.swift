package import Broker
internal import LMDB

/// What the view of rooms is asked.
///
/// Any thread; each call is one short read.
package struct RoomsView: Sendable {
    package let view: View

    package init(_ view: View) {
        precondition(view.projection == RoomsProjection.self)
        self.view = view
    }

    /// The room with that id.
    package func room(_ id: RoomID) throws -> Answer<Room?> {
        try view.read { transaction, tables, asOf in
            guard let value = try transaction.value(of: Key(id).span, in: tables[0]) else {
                return Answer(nil, asOf: asOf)
            }
            guard let row = RoomRow(value) else { throw LMDBError.malformed("a row of rooms") }
            return Answer(row.room(id), asOf: asOf)
        }
    }

    /// The rooms that `account` is in, in the order of their ids.
    package func rooms(of account: AccountID) throws -> Answer<[RoomID]> {
        try view.read { transaction, tables, asOf in
            var rooms: [RoomID] = []
            try transaction.scan(tables[3], from: Key(account).span) { key, _ in
                guard key.begins(with: account) else { return false }
                rooms.append(Identifier(key, at: Identifier.byteCount))
                return true
            }
            return Answer(rooms, asOf: asOf)
        }
    }

    /// The rooms that `account` was in after the event at `offset`, in the order of their ids.
    ///
    /// What is after the answer's `asOf` it doesn't know.
    package func rooms(of account: AccountID, at offset: Offset) throws -> Answer<[RoomID]> {
        let spans = try spans(of: account, after: offset)
        return Answer(spans.value.filter { $0.joined <= offset }.map(\.room), asOf: spans.asOf)
    }

    /// The times that `account` was in a room, without those that had ended with the event at `offset`; by room, then
    /// by time.
    package func spans(of account: AccountID, after offset: Offset) throws -> Answer<[RoomSpan]> {
        try view.read { transaction, tables, asOf in
            var spans: [RoomSpan] = []
            try transaction.scan(tables[5], from: Key(account).span) { key, value in
                guard key.begins(with: account) else { return false }
                let span = try RoomSpan(key: key, value: value)
                if span.goesOn(after: offset) { spans.append(span) }
                return true
            }
            return Answer(spans, asOf: asOf)
        }
    }

    /// How many rooms `account` is in.
    package func roomCount(of account: AccountID) throws -> Answer<Int> {
        try view.read { transaction, tables, asOf in
            Answer(Int(try transaction.number(of: Key(account), in: tables[4]) ?? 0), asOf: asOf)
        }
    }

    package func isMember(_ account: AccountID, of room: RoomID) throws -> Answer<Bool> {
        try view.read { transaction, tables, asOf in
            Answer(try transaction.value(of: Key(room, account).span, in: tables[1]) != nil, asOf: asOf)
        }
    }

    /// The members of `room` who joined after `after` did, in the order of joining.
    ///
    /// - Parameters:
    ///   - after: The last one that was seen; nil for from the first.
    ///   - limit: The most to return.
    /// - Returns: Nil if `after` is no member, so that there is no telling where to go on.
    package func members(of room: RoomID, after: AccountID?, limit: Int) throws -> Answer<[AccountID]?> {
        try view.read { transaction, tables, asOf in
            var start: Offset = 0
            if let after {
                guard let joined = try transaction.number(of: Key(room, after), in: tables[1]) else {
                    return Answer(nil, asOf: asOf)
                }
                start = joined + 1
            }
            var members: [AccountID] = []
            guard limit > 0 else { return Answer(members, asOf: asOf) }
            try transaction.scan(tables[2], from: Key(room, start).span) { key, value in
                guard key.begins(with: room) else { return false }
                members.append(Identifier(value))
                return members.count < limit
            }
            return Answer(members, asOf: asOf)
        }
    }

    /// Hands the members of `room` to `body`, in the order of joining, until it returns false.
    ///
    /// - Returns: The offset that this reflects.
    @discardableResult
    package func forEachMember(of room: RoomID, _ body: (AccountID) throws -> Bool) throws -> Offset {
        try view.read { transaction, tables, asOf in
            try transaction.scan(tables[2], from: Key(room).span) { key, value in
                guard key.begins(with: room) else { return false }
                return try body(Identifier(value))
            }
            return asOf
        }
    }
}
