internal import Cryptography
internal import Foundation
internal import LMDB

extension LogCopy {
    /// Flips a bit of the last byte of an event's payload in the file, as a failing disk does.
    ///
    /// - Returns: The place of the byte in `data.mdb`.
    package func flipBit(ofEventAt offset: Offset) throws -> Int {
        var bytes: [UInt8] = []
        try change { transaction, tables in bytes = try record(at: offset, in: transaction, tables) }
        let path = directory + "/data.mdb"
        let data = try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe)
        guard let found = data.firstRange(of: Data(bytes)) else {
            throw EventLog.Damaged(offset: offset, reason: .missing)
        }
        let place = found.upperBound - Record.checksumByteCount - 1
        let flipped = data[place] ^ 1
        guard let file = FileHandle(forUpdatingAtPath: path) else {
            throw CocoaError(.fileWriteNoPermission, userInfo: [NSFilePathErrorKey: path])
        }
        try file.seek(toOffset: UInt64(place))
        try file.write(contentsOf: Data([flipped]))
        try file.close()
        return place
    }

    /// Takes an event out, and leaves all else.
    package func drop(_ offset: Offset) throws {
        try change { transaction, tables in try Self.remove(offset, from: tables.events, in: &transaction) }
    }

    /// Puts two events in each other's place.
    package func swap(_ one: Offset, _ other: Offset) throws {
        try change { transaction, tables in
            let first = try record(at: one, in: transaction, tables)
            let second = try record(at: other, in: transaction, tables)
            try transaction.put(second.span, for: one, in: tables.events)
            try transaction.put(first.span, for: other, in: tables.events)
        }
    }

    /// Gives a message another content, and the record its right checksum.
    package func rewrite(_ offset: Offset, content: String) throws {
        try change { transaction, tables in
            let old = try record(at: offset, in: transaction, tables)
            let record = try Record(old.span, at: offset)
            let id = [UInt8](copying: MessagePayload.id(of: record.payload))
            let payload = MessagePayload.encode(content: Array(content.utf8), id: id)
            let salt = EventHeader.byteCount
            var new: [UInt8] = []
            Record.append(
                header: record.header,
                salt: (old.span.bigEndian(at: salt), old.span.bigEndian(at: salt + 8)),
                payload: payload.span,
                to: &new
            )
            try transaction.put(new.span, for: offset, in: tables.events)
        }
    }

    /// Takes all events after `offset` out, and the names that they claimed.
    package func truncate(after offset: Offset) throws {
        try change { transaction, tables in
            var names = NameVerifier()
            var gone: [Offset] = []
            try transaction.scan(tables.events, from: 1) { position, bytes in
                guard position <= offset else {
                    gone.append(position)
                    return true
                }
                let record = try EventLog.record(bytes, at: position)
                if record.header.type != .messageSent {
                    names.apply(record.header, try record.decodePayload(), at: position)
                }
                return true
            }
            for offset in gone { try Self.remove(offset, from: tables.events, in: &transaction) }
            try names.replace(tables.names, in: &transaction)
        }
    }

    /// Makes the tree anew from the events that are there: the log then fits itself.
    package func recomputeTree() throws {
        try change { transaction, tables in
            for table in [tables.tree.leaves, tables.tree.nodes] {
                var rows: [UInt64] = []
                try transaction.scan(table, from: 0) { row, _ in
                    rows.append(row)
                    return true
                }
                for row in rows { try Self.remove(row, from: table, in: &transaction) }
            }
        }
        try EventLog(directory: directory).upgradeTree()
    }

    private static func remove(_ key: UInt64, from table: Table, in transaction: inout WriteTransaction) throws {
        var bytes: [UInt8] = []
        bytes.append(littleEndian: key)
        try transaction.remove(bytes.span, from: table)
    }
}

extension NameVerifier {
    /// Puts what the events say in the place of the table of names.
    fileprivate func replace(_ table: Table, in transaction: inout WriteTransaction) throws {
        var old: [[UInt8]] = []
        try transaction.scan(table) { name, _ in
            old.append([UInt8](copying: name))
            return true
        }
        for name in old { try transaction.remove(name.span, from: table) }
        for (name, owner) in owners {
            var value: [UInt8] = []
            owner.account.append(to: &value)
            try transaction.put(value.span, for: name.utf8.span, in: table)
        }
    }
}
