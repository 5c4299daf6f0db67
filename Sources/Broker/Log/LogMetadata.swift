internal import LMDB

/// What the log's table `metadata` holds: which log it is, and where each of its epochs began.
struct LogMetadata: Sendable {
    /// Where an epoch began.
    struct Beginning: Equatable, Sendable {
        /// 2 or more.
        var epoch: UInt64
        /// The head then: all up to here the epochs before it have as well.
        var head: Offset

        static let byteCount = 16
    }

    private(set) var identity: LogIdentity
    /// Where the epochs after the first began, in their order.
    private(set) var beginnings: [Beginning] = []

    private static let layoutVersion: UInt8 = 1
    private static let identityKey = Array("log".utf8)
    private static let beginningsKey = Array("epochs".utf8)

    /// That of a new log.
    init() { identity = LogIdentity(id: .random(), epoch: 1) }

    /// Reads it.
    ///
    /// - Returns: Nil if there is none.
    /// - Throws: ``EventLog/Unreadable``.
    init?(in transaction: borrowing some Transaction & ~Copyable, _ table: Table) throws {
        guard let value = try transaction.value(of: Self.identityKey.span, in: table) else { return nil }
        guard value.count == 25, value[0] == Self.layoutVersion else {
            throw EventLog.Unreadable(
                description: "the log has layout \(value.isEmpty ? 0 : value[0]), written by a newer version"
            )
        }
        identity = LogIdentity(id: Identifier(value, at: 1), epoch: value.littleEndian(at: 17))
        // A log that never was a backup has no such row.
        if let rows = try transaction.value(of: Self.beginningsKey.span, in: table) {
            for start in stride(from: 0, to: rows.count - Beginning.byteCount + 1, by: Beginning.byteCount) {
                beginnings.append(
                    Beginning(epoch: rows.littleEndian(at: start), head: rows.littleEndian(at: start + 8))
                )
            }
            guard rows.count == beginnings.count * Beginning.byteCount else { throw Self.damaged }
        }
        // Without its beginning, nobody could be told what an older epoch shares with this one.
        guard (beginnings.last?.epoch ?? 1) == identity.epoch else { throw Self.damaged }
    }

    /// Goes over to the next epoch, which has what is there up to `head`.
    mutating func beginEpoch(at head: Offset) {
        identity.epoch += 1
        beginnings.append(Beginning(epoch: identity.epoch, head: head))
    }

    func write(in transaction: inout WriteTransaction, _ table: Table) throws {
        var value = [Self.layoutVersion]
        identity.id.append(to: &value)
        value.append(littleEndian: identity.epoch)
        try transaction.put(value.span, for: Self.identityKey.span, in: table)
        guard !beginnings.isEmpty else { return }
        var rows: [UInt8] = []
        for beginning in beginnings {
            rows.append(littleEndian: beginning.epoch)
            rows.append(littleEndian: beginning.head)
        }
        try transaction.put(rows.span, for: Self.beginningsKey.span, in: table)
    }

    private static var damaged: EventLog.Unreadable {
        EventLog.Unreadable(description: "the log's epochs are damaged: restore a backup of the folder")
    }
}
