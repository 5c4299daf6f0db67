import Cryptography
import Foundation
import LMDB
import Testing

@testable import Broker

/// Logs from before there was a tree, or with events that an older version has appended.
@Suite struct TreeUpgradeTests {
    private struct Killed: Error {}

    /// Makes a log of `count` events as the first release left it: without the tables of the tree.
    private func writeOld(_ count: Int, into directory: String) throws {
        var records: [[UInt8]] = []
        try withTemporaryFolder { path in
            var tree = try TreeLog(in: path, seed: 7)
            try tree.append(count)
            try tree.log.read(after: 0) { record in
                records.append([UInt8](copying: record.bytes))
                return true
            }
        }
        let environment = try Environment(path: directory, options: .init(mapBytes: 16 << 20, tables: 8))
        try environment.write { transaction in
            let events = try transaction.openTable("events", hasIntegerKeys: true)
            _ = try transaction.openTable("names")
            let metadata = try transaction.openTable("metadata")
            try LogMetadata().write(in: &transaction, metadata)
            for (index, record) in records.enumerated() {
                try transaction.put(record.span, for: Offset(index + 1), in: events)
            }
        }
    }

    private func root(of log: EventLog) throws -> Digest {
        let leaves = try log.leaves()
        return MerkleModel(leaves).head(0..<leaves.count)
    }

    @Test func `a log without a tree is read as ever, and proofs say what to do`() throws {
        try withTemporaryFolder { path in
            try writeOld(10, into: path)
            let log = try EventLog(directory: path, mapBytes: 16 << 20, isReadOnly: true)
            #expect(try log.leaves().count == 10)
            #expect(log.treeSize == 0)
            #expect(log.needsTreeUpgrade)
            let expected = TreeError.incomplete(size: 0, head: 10)
            #expect(expected.description.contains("start the server once"))
            #expect(throws: expected) { try log.treeHead() }
            #expect(throws: expected) { try log.inclusionProof(of: 1, size: 1) }
            #expect(throws: expected) { try log.consistencyProof(from: 1, to: 2) }
            let tile = try #require(TileCoordinate(.hashes(level: 0), index: 0, width: 1))
            #expect(throws: expected) { try log.tile(at: tile) }
            let entries = try #require(TileCoordinate(.entries, index: 0, width: 1))
            #expect(throws: expected) { try log.entryBundle(at: entries) }
            #expect(throws: expected) { try log.verifyTree() }
        }
    }

    @Test(arguments: [0, 1, 16, 255, 256, 257, 1000])
    func `it gets its tree once, and is the log that it was`(count: Int) throws {
        try withTemporaryFolder { path in
            try writeOld(count, into: path)
            let log = try EventLog(directory: path, mapBytes: 16 << 20)
            #expect(log.needsTreeUpgrade == (count > 0))
            var told: [UInt64] = []
            try log.upgradeTree(step: 256) { done, total in
                #expect(total == UInt64(count))
                told.append(done)
            }
            #expect(told == stride(from: 256, to: UInt64(count), by: 256) + (count > 0 ? [UInt64(count)] : []))
            #expect(!log.needsTreeUpgrade)
            #expect(try log.treeHead() == TreeHead(size: UInt64(count), root: root(of: log)))
            try log.upgradeTree { _, _ in Issue.record("a second upgrade") }
            try log.append(messages: ["more"])
            #expect(try log.treeHead().root == root(of: log))
        }
    }

    /// What a kill between two transactions leaves; one within a transaction leaves the same.
    @Test(arguments: 1...4)
    func `an upgrade that was killed goes on where it was`(steps: Int) throws {
        try withTemporaryFolder { path in
            try writeOld(1000, into: path)
            do {
                let log = try EventLog(directory: path, mapBytes: 16 << 20)
                var left = steps
                let step: UInt64 = 200
                #expect(throws: Killed.self) {
                    try log.upgradeTree(step: step) { _, _ in
                        left -= 1
                        if left == 0 { throw Killed() }
                    }
                }
                #expect(log.treeSize == step * UInt64(steps))
                #expect(throws: TreeError.incomplete(size: log.treeSize, head: 1000)) { try log.treeHead() }
            }
            do {
                let reader = try EventLog(directory: path, mapBytes: 16 << 20, isReadOnly: true)
                #expect(reader.treeSize == 200 * UInt64(steps))
                #expect(try reader.verifyTree().faults == [.uncovered(reader.treeSize + 1...1000)])
            }
            let log = try EventLog(directory: path, mapBytes: 16 << 20)
            var told: [UInt64] = []
            try log.upgradeTree(step: 256) { done, _ in told.append(done) }
            #expect(told.first ?? 0 > 200 * UInt64(steps))
            #expect(told.last == 1000)
            #expect(try log.treeHead().root == root(of: log))
            #expect(try log.verifyTree().isIntact)
        }
    }

    @Test func `who appends without an upgrade gets it on the way`() throws {
        try withTemporaryFolder { path in
            try writeOld(300, into: path)
            let log = try EventLog(directory: path, mapBytes: 16 << 20)
            try log.append(messages: ["more"])
            #expect(log.treeSize == 301)
            #expect(try log.treeHead().root == root(of: log))
        }
    }

    @Test func `what an older version has appended meanwhile is taken in`() throws {
        try withTemporaryFolder { path in
            do {
                var tree = try TreeLog(in: path, seed: 8)
                try tree.append(300)
            }
            try RawLog.change(path) { transaction, tables in
                let record = EventHeader.sample(.messageSent).record(payload: [0x61])
                for offset in 301...303 as ClosedRange<Offset> {
                    try transaction.put(record.span, for: offset, in: tables.events)
                }
            }
            let log = try EventLog(directory: path, mapBytes: 16 << 20)
            #expect(log.treeSize == 300)
            #expect(throws: TreeError.incomplete(size: 300, head: 303)) { try log.treeHead() }
            try log.upgradeTree()
            #expect(try log.treeHead() == TreeHead(size: 303, root: root(of: log)))
        }
    }

    @Test func `an event that can't be read stops an upgrade, and nothing is appended`() throws {
        try withTemporaryFolder { path in
            try writeOld(300, into: path)
            try RawLog.change(path) { transaction, tables in
                try transaction.alter(290, in: tables.events, keepingChecksum: true) { $0[80] ^= 1 }
            }
            let log = try EventLog(directory: path, mapBytes: 16 << 20)
            let damaged = #expect(throws: EventLog.Damaged.self) { try log.upgradeTree() }
            #expect(damaged?.offset == 290)
            #expect(throws: EventLog.Damaged.self) { try log.append(messages: ["more"]) }
            #expect(log.head == 300)
        }
    }

    @Test func `a log that lost events from its end isn't appended to`() throws {
        try withTemporaryFolder { path in
            try TreeLog.altering(path, count: 300) { transaction, tables in
                for offset in 299...300 as ClosedRange<Offset> { try transaction.remove(offset, from: tables.events) }
            }
            let log = try EventLog(directory: path, mapBytes: 16 << 20)
            let expected = TreeError.eventsMissing(head: 298, size: 300)
            #expect(throws: expected) { try log.upgradeTree() }
            #expect(throws: expected) { try log.append(messages: ["again"]) }
            #expect(throws: expected) { try log.treeHead() }
            #expect(log.head == 298)
        }
    }

    @Test(arguments: [0, 1]) func `a tree that can't be read isn't grown`(level: Int) throws {
        try withTemporaryFolder { path in
            try TreeLog.altering(path, count: 300) { transaction, tables in
                let table = level == 0 ? tables.leaves : tables.nodes
                let key = TreeTables.key(level: level, row: level == 0 ? 18 : 0)
                try transaction.alter(key, in: table, keepingChecksum: true) { $0[4] ^= 1 }
            }
            let log = try EventLog(directory: path, mapBytes: 16 << 20)
            let expected = TreeError.hashesDamaged(level: level, level == 0 ? 289...304 : 1...4096)
            #expect(throws: expected) { try log.append(messages: ["more"]) }
            #expect(throws: expected) { try log.treeHead() }
            #expect(log.head == 300)
            #expect(try log.leaves().count == 300)
        }
    }

    /// The tree doesn't care what the events are.
    @Test(arguments: GoldenLog.allCases) func `a golden log gets a tree`(golden: GoldenLog) throws {
        try withTemporaryFolder { path in
            try RawLog.write(golden.records(), into: path)
            let log = try EventLog(directory: path, mapBytes: 16 << 20)
            try log.upgradeTree()
            #expect(try log.treeHead().root == root(of: log))
            // They have no table of names, and the first a redacted record from before there were events that say so.
            let faults = try log.verifyTree().faults.filter { $0.code != "name" }
            #expect(faults == (golden == .first ? [.unexplainedRedaction(29)] : []))
        }
    }
}
