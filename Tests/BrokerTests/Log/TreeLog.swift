import Cryptography
import Foundation
import LMDB

@testable import Broker

/// A log with messages in several streams, and what the definitions of RFC 9162 say of it.
struct TreeLog {
    static let streamCount = 5

    let directory: String
    private(set) var log: EventLog
    private var random: SplitMix
    private var revisions = [UInt64](repeating: 0, count: TreeLog.streamCount)

    init(in directory: String, seed: UInt64) throws {
        self.directory = directory
        log = try EventLog(directory: directory, mapBytes: 16 << 20)
        random = SplitMix(seed: seed)
    }

    /// Makes a log of `count` events in `directory`, closes it, and hands its raw tables to `body`.
    static func altering(
        _ directory: String,
        count: Int,
        _ body: (inout WriteTransaction, RawTree) throws -> Void
    ) throws {
        do {
            var tree = try TreeLog(in: directory, seed: 1)
            try tree.append(count)
        }
        try RawTree.change(directory, body)
    }

    /// A batch of `count` messages, the time one more than that of the batch before.
    mutating func batch(_ count: Int) -> EventBatch {
        var batch = EventBatch(first: log.head + 1)
        for _ in 0..<count {
            let stream = Int.random(in: 0..<Self.streamCount, using: &random)
            revisions[stream] += 1
            let text = String(repeating: "x", count: Int.random(in: 0...40, using: &random))
            let header = EventHeader(
                type: .messageSent,
                payloadClass: .content,
                milliseconds: log.lastMilliseconds + 1,
                actor: Sample.id(1),
                subject: Sample.id(2),
                stream: Sample.id(UInt8(10 + stream)),
                revision: revisions[stream]
            )
            let payload = MessagePayload.encode(content: Array(text.utf8))
            batch.append(header: header, salt: (random.next(), random.next()), payload: payload.span)
        }
        return batch
    }

    /// Appends `count` messages in one commit.
    mutating func append(_ count: Int) throws { try log.append(batch(count)) }

    mutating func reopen(isReadOnly: Bool = false) throws {
        // One environment can't be open twice.
        let other = FileManager.default.temporaryDirectory.appending(path: "other-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: other) }
        log = try EventLog(directory: other, mapBytes: 1 << 20)
        log = try EventLog(directory: directory, mapBytes: 16 << 20, isReadOnly: isReadOnly)
    }
}

extension EventLog {
    /// The leaves as the records say.
    func leaves() throws -> [Digest] {
        let hasher = SHA256()
        var leaves: [Digest] = []
        try read(after: 0) { record in
            leaves.append(record.leafHash(with: hasher))
            return true
        }
        return leaves
    }
}

/// The tables of a closed log in which the events and their tree stand.
struct RawTree {
    let events: Table
    let leaves: Table
    let nodes: Table

    static func change(_ directory: String, _ body: (inout WriteTransaction, RawTree) throws -> Void) throws {
        try RawLog.change(directory) { transaction, tables in
            let leaves = try transaction.openTable("leaves", hasIntegerKeys: true)
            let nodes = try transaction.openTable("nodes", hasIntegerKeys: true)
            try body(&transaction, RawTree(events: tables.events, leaves: leaves, nodes: nodes))
        }
    }
}

extension WriteTransaction {
    /// A copy of the value of `key`.
    func bytes(of key: UInt64, in table: Table) throws -> [UInt8]? {
        guard let value = try value(of: key, in: table) else { return nil }
        return [UInt8](copying: value)
    }

    mutating func remove(_ key: UInt64, from table: Table) throws {
        var bytes: [UInt8] = []
        bytes.append(littleEndian: key)
        try remove(bytes.span, from: table)
    }

    /// Changes the bytes of a record or a row and, unless that is how it shall be found, its checksum with them.
    mutating func alter(
        _ key: UInt64,
        in table: Table,
        keepingChecksum: Bool = false,
        _ change: (inout [UInt8]) -> Void
    ) throws {
        guard var bytes = try bytes(of: key, in: table) else { return }
        change(&bytes)
        if !keepingChecksum {
            bytes.removeLast(4)
            bytes.append(littleEndian: CRC32C.checksum(bytes.span))
        }
        try put(bytes.span, for: key, in: table)
    }
}
