internal import LMDB

/// The least that LMDB takes for what the log and the views do with it: the same bytes in the same transactions, and
/// nothing else.
///
/// `quipu bench --floor` prints the ratio.
package enum LogFloor {
    /// Appends `events` records of messages of `contentBytes` to a new environment in `directory`, `perCommit` in each
    /// transaction, each flushed as the log's are.
    package static func append(events: Int, perCommit: Int, contentBytes: Int, in directory: String) throws {
        let environment = try Environment(path: directory, options: .init())
        let table = try environment.write { try $0.openTable("events", hasIntegerKeys: true) }
        let payload = MessagePayload.encode(content: [UInt8](repeating: UInt8(ascii: "x"), count: contentBytes))
        var record: [UInt8] = []
        let header = EventHeader(
            type: .messageSent,
            payloadClass: .content,
            actor: .none,
            subject: .none,
            stream: .none
        )
        Record.append(header: header, salt: (0, 0), payload: payload.span, to: &record)
        var next: UInt64 = 1
        while next <= events {
            let end = min(UInt64(events), next + UInt64(perCommit) - 1)
            try environment.write { transaction in
                while next <= end {
                    try transaction.put(record.span, for: next, in: table, mode: .append)
                    next += 1
                }
            }
        }
    }

    /// Reads every event of `log` in order, and of each as much as tells that it was there.
    @discardableResult
    package static func scan(_ log: EventLog) throws -> UInt64 {
        var sum: UInt64 = 0
        try log.environment.read { transaction in
            try transaction.scan(log.events, from: 1) { _, bytes in
                sum &+= UInt64(bytes[bytes.count - 1])
                return true
            }
        }
        return sum
    }

    /// Writes as many rows as the view of conversations keeps for its messages, in the order of their keys, into a new
    /// environment in `directory`, in transactions as a rebuild has them, not flushed.
    package static func load(rows: Int, in directory: String) throws {
        let environment = try Environment(path: directory, options: .init(isDurable: false))
        let table = try environment.write { try $0.openTable("rows") }
        let row = [UInt8](repeating: UInt8(ascii: "x"), count: rowBytes)
        var key: [UInt8] = []
        var next = 0
        while next < rows {
            let end = min(rows, next + rowsPerTransaction)
            try environment.write { transaction in
                while next < end {
                    key.removeAll(keepingCapacity: true)
                    key.append(bigEndian: 0)
                    key.append(bigEndian: 0)
                    key.append(bigEndian: UInt64(next))
                    try transaction.put(row.span, for: key.span, in: table, mode: .append)
                    next += 1
                }
            }
        }
    }

    /// The fields of a message's row, and a content of 150 bytes.
    private static let rowBytes = 77 + 150
    /// As ``Rebuild`` has them by default.
    private static let rowsPerTransaction = 100_000
}
