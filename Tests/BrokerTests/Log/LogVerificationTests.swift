import Cryptography
import LMDB
import Testing

@testable import Broker

/// Every kind of damage to a log, and what a verification says of it.
@Suite struct LogVerificationTests {
    /// Something that happens to a log of 1,000 events, and what is found.
    struct Damage: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var found: [String]
        var change: @Sendable (inout WriteTransaction, RawTree) throws -> Void

        init(
            _ name: String,
            finds found: String...,
            change: @escaping @Sendable (inout WriteTransaction, RawTree) throws -> Void
        ) {
            testDescription = name
            self.found = found
            self.change = change
        }
    }

    static let ofEvents = [
        Damage("a flipped bit in a payload", finds: "unreadable 300") { transaction, tables in
            try transaction.alter(300, in: tables.events, keepingChecksum: true) { $0[93] ^= 4 }
        },
        Damage("a record cut short", finds: "unreadable 300", "revision 304") { transaction, tables in
            try transaction.put([1, 2, 3].span, for: 300, in: tables.events)
        },
        Damage("a salt rewritten, with its checksum", finds: "altered 300") { transaction, tables in
            try transaction.alter(300, in: tables.events) { $0[80] ^= 1 }
        },
        Damage("an actor rewritten, with its checksum", finds: "altered 300") { transaction, tables in
            try transaction.alter(300, in: tables.events) { $0[12] ^= 1 }
        },
        Damage("the last event rewritten, with its checksum", finds: "altered 1000") { transaction, tables in
            try transaction.alter(1000, in: tables.events) { $0[80] ^= 1 }
        },
        Damage("an earlier time", finds: "time 300", "altered 300") { transaction, tables in
            try transaction.alter(300, in: tables.events) { $0[4] = 0 }
        },
        Damage("another revision", finds: "revision 300", "altered 300") { transaction, tables in
            try transaction.alter(300, in: tables.events) { $0[62] ^= 1 }
        },
        Damage("two events swapped", finds: "revision 300", "revision 304", "altered 300", "altered 304") {
            transaction,
            tables in
            let (one, other) = (
                try transaction.bytes(of: 300, in: tables.events) ?? [],
                try transaction.bytes(of: 304, in: tables.events) ?? []
            )
            try transaction.put(other.span, for: 300, in: tables.events)
            try transaction.put(one.span, for: 304, in: tables.events)
        },
        Damage("an event dropped", finds: "missing 300", "revision 304") { transaction, tables in
            try transaction.remove(300, from: tables.events)
        },
        Damage("whole tiles dropped", finds: "missing 200-1000") { transaction, tables in
            for offset in 200...1000 as ClosedRange<Offset> { try transaction.remove(offset, from: tables.events) }
        },
        Damage("the end cut off", finds: "missing 901-1000") { transaction, tables in
            for offset in 901...1000 as ClosedRange<Offset> { try transaction.remove(offset, from: tables.events) }
        },
        Damage("all events gone", finds: "missing 1-1000") { transaction, tables in
            for offset in 1...1000 as ClosedRange<Offset> { try transaction.remove(offset, from: tables.events) }
        },
        Damage("an event put after the last", finds: "revision 1001", "reference 1001", "uncovered 1001") {
            transaction,
            tables in
            let record = EventHeader.sample(.messageSent).record(payload: [])
            try transaction.put(record.span, for: 1001, in: tables.events)
        },
        Damage(
            "an event far away",
            finds: "missing 1001-1099511627775",
            "revision 1099511627776",
            "reference 1099511627776",
            "uncovered 1001-1099511627776"
        ) { transaction, tables in
            let record = EventHeader.sample(.messageSent).record(payload: [])
            try transaction.put(record.span, for: 1 << 40, in: tables.events)
        },
        Damage("an event at the end of all keys", finds: "missing 1001-\(Int64.max)", "uncovered 1001-\(Int64.max)") {
            transaction,
            tables in
            let record = EventHeader.sample(.messageSent).record(payload: [])
            try transaction.put(record.span, for: .max, in: tables.events)
        },
    ]

    static let ofHashes = [
        Damage("a flipped bit in a row of leaves", finds: "hashes-damaged 0 289-304") { transaction, tables in
            try transaction.alter(18, in: tables.leaves, keepingChecksum: true) { $0[40] ^= 1 }
        },
        Damage("rows of leaves gone", finds: "hashes-damaged 0 257-544") { transaction, tables in
            for row in 16...33 as ClosedRange<UInt64> { try transaction.remove(row, from: tables.leaves) }
        },
        Damage("a leaf rewritten, with its checksum", finds: "hashes-altered 0 257-512") { transaction, tables in
            try transaction.alter(18, in: tables.leaves) { $0[40] ^= 1 }
        },
        Damage("one of the last leaves rewritten", finds: "altered 994") { transaction, tables in
            try transaction.alter(62, in: tables.leaves) { $0[40] ^= 1 }
        },
        Damage("the last row of leaves damaged", finds: "hashes-damaged 0 993-1000") { transaction, tables in
            try transaction.alter(62, in: tables.leaves, keepingChecksum: true) { $0[0] ^= 1 }
        },
        Damage("the last row of leaves gone", finds: "uncovered 993-1000") { transaction, tables in
            try transaction.remove(62, from: tables.leaves)
        },
        Damage("a leaf and its event rewritten", finds: "hashes-altered 0 257-512", "altered 290") {
            transaction,
            tables in
            try transaction.alter(290, in: tables.events) { $0[80] ^= 1 }
            try transaction.alter(18, in: tables.leaves) { $0[40] ^= 1 }
        },
        Damage("a hash of the second level rewritten", finds: "hashes-altered 1 257-512") { transaction, tables in
            try transaction.alter(1 << 56, in: tables.nodes) { $0[40] ^= 1 }
        },
        Damage("a flipped bit in the second level", finds: "hashes-damaged 1 1-768") { transaction, tables in
            try transaction.alter(1 << 56, in: tables.nodes, keepingChecksum: true) { $0[40] ^= 1 }
        },
        Damage("the second level gone", finds: "hashes-damaged 1 1-768") { transaction, tables in
            try transaction.remove(1 << 56, from: tables.nodes)
        },
        Damage("leaves of an age to come", finds: "missing 1001-\(1 << 40 + 16)") { transaction, tables in
            let row = try transaction.bytes(of: 18, in: tables.leaves) ?? []
            try transaction.put(row.span, for: 1 << 36, in: tables.leaves)
        },
        Damage("leaves at the end of all keys", finds: "hashes-damaged 0 \(UInt64(1) << 63 - 15)-\(UInt64(1) << 63)") {
            transaction,
            tables in
            let row = try transaction.bytes(of: 18, in: tables.leaves) ?? []
            try transaction.put(row.span, for: .max, in: tables.leaves)
        },
    ]

    @Test(arguments: ofEvents + ofHashes)
    func `it is found, and nothing else is said`(damage: Damage) throws {
        try withTemporaryFolder { path in
            try TreeLog.altering(path, count: 1000, damage.change)
            let log = try EventLog(directory: path, mapBytes: 16 << 20, isReadOnly: true)
            let verification = try log.verifyTree()
            #expect(verification.faults.map(\.summary) == damage.found)
            #expect(!verification.isIntact)
            #expect(!verification.hasMoreFaults)
            for fault in verification.faults { #expect(fault.description.contains("\(fault.offsets.lowerBound)")) }
        }
    }

    @Test func `an intact log is said to be, with the head that it was held against`() throws {
        try withTemporaryFolder { path in
            var tree = try TreeLog(in: path, seed: 1)
            let nothing = try tree.log.verifyTree()
            #expect(nothing.isIntact && nothing.offsets.isEmpty)
            #expect(nothing.head == TreeHead(size: 0, root: MerkleTree.emptyRoot))
            try tree.append(20_000)
            var told: [UInt64] = []
            let verification = try tree.log.verifyTree { done, total in
                #expect(total == 20_000)
                told.append(done)
            }
            #expect(told == [16_384, 20_000])
            #expect(verification.faults == [])
            #expect(verification.offsets == 1..<20_001)
            #expect(verification.head == (try tree.log.treeHead()))
        }
    }

    @Test func `a part is verified from the tile in which it begins`() throws {
        try withTemporaryFolder { path in
            try TreeLog.altering(path, count: 1000) { transaction, tables in
                for offset in [300, 600] as [Offset] {
                    try transaction.alter(offset, in: tables.events) { $0[80] ^= 1 }
                }
            }
            let log = try EventLog(directory: path, mapBytes: 16 << 20, isReadOnly: true)
            for (start, first, found) in [
                (0, 1, ["altered 300", "altered 600"]), (512, 257, ["altered 300", "altered 600"]),
                (513, 513, ["altered 600"]), (1000, 769, []), (5000, 1001, []),
            ] as [(Offset, Offset, [String])] {
                let verification = try log.verifyTree(from: start)
                #expect(verification.offsets == first..<1001)
                #expect(verification.faults.map(\.summary) == found)
            }
        }
    }

    @Test func `no more faults are noted than asked for, and that there are more is said`() throws {
        try withTemporaryFolder { path in
            try TreeLog.altering(path, count: 1000) { transaction, tables in
                for offset in stride(from: 100, through: 900, by: 100) {
                    try transaction.alter(Offset(offset), in: tables.events) { $0[80] ^= 1 }
                }
            }
            let log = try EventLog(directory: path, mapBytes: 16 << 20, isReadOnly: true)
            for (limit, count, hasMore) in [(8, 8, true), (9, 9, false), (0, 0, true)] {
                let verification = try log.verifyTree(faultLimit: limit)
                #expect(verification.faults.count == count)
                #expect(verification.hasMoreFaults == hasMore)
                #expect(verification.moreFaults == UInt64(9 - count))
                #expect(!verification.isIntact)
            }
        }
    }

    @Test func `a verification can be broken off`() throws {
        struct Enough: Error {}
        try withTemporaryFolder { path in
            var tree = try TreeLog(in: path, seed: 1)
            try tree.append(10)
            #expect(throws: Enough.self) { try tree.log.verifyTree { _, _ in throw Enough() } }
        }
    }
}

extension LogFault {
    /// As in `altered 300` and `hashes-damaged 0 257-512`.
    fileprivate var summary: String {
        let range =
            offsets.lowerBound == offsets.upperBound
            ? "\(offsets.lowerBound)" : "\(offsets.lowerBound)-\(offsets.upperBound)"
        switch self {
        case .hashesDamaged(let level, _), .hashesAltered(let level, _): return "\(code) \(level) \(range)"
        default: return "\(code) \(range)"
        }
    }
}
