import LMDB
import Testing

@testable import Broker
@testable import Projections

/// The digest of a view finds every change of every row, and every row counts.
struct DigestTests {
    /// A view of each kind with some rows in every table.
    private func filled(_ projection: any Projection.Type) throws -> (TestLog, ViewStore) {
        let test = try TestLog()
        var scenario = Scenario(seed: 61, accounts: 5, redacts: true)
        try test.append(scenario.events(260))
        let folder = test.viewFolder()
        let (store, _) = try folder.open(projection, log: test.log)
        var projector = try Projector(store, log: test.log)
        while try projector.advance(limit: 1000) {}
        return (test, store)
    }

    private struct Row {
        var key: [UInt8]
        var value: [UInt8]
    }

    private func rows(of store: ViewStore, _ table: Int) throws -> [Row] {
        var rows: [Row] = []
        try store.environment.read { transaction in
            try transaction.scan(store.tables[table]) { key, value in
                rows.append(Row(key: [UInt8](copying: key), value: [UInt8](copying: value)))
                return true
            }
        }
        return rows
    }

    /// The digest that `store` would have after `change`, which isn't kept.
    private func digest(of store: ViewStore, after change: (inout WriteTransaction) throws -> Void) throws -> ViewDigest
    {
        var saved: [[Row]] = []
        for table in store.tables.indices { saved.append(try rows(of: store, table)) }
        try store.environment.write { try change(&$0) }
        let digest = try ViewDigest(store)
        for (index, table) in store.tables.enumerated() {
            let changed = try rows(of: store, index)
            try store.environment.write { transaction in
                for row in changed { try transaction.remove(row.key.span, from: table) }
                for row in saved[index] { try transaction.put(row.value.span, for: row.key.span, in: table) }
            }
        }
        return digest
    }

    @Test(arguments: ["users", "rooms", "conversations", "unread"])
    func `a row changed, removed, added or swapped in any table changes the digest`(name: String) throws {
        let projection = try #require(Views.projection(named: name))
        let (test, store) = try filled(projection)
        let whole = try ViewDigest(store)
        #expect(whole.damage.isEmpty)
        var random = SeededRandom(seed: 62)
        for (index, table) in store.tables.enumerated() {
            let rows = try rows(of: store, index)
            let tableName = projection.tables[index]
            try #require(rows.count >= 2, "the table \(tableName) is too empty to test")
            for row in rows where rows.count < 12 || random.oneIn(rows.count / 12) {
                let removed = try digest(of: store) { try $0.remove(row.key.span, from: table) }
                #expect(removed.digest != whole.digest, "\(tableName): removed")

                // Every byte of the value, one bit each: fields, counters, seals and texts alike.
                for place in row.value.indices where row.value.count < 24 || random.oneIn(row.value.count / 12) {
                    var value = row.value
                    value[place] ^= 1 << UInt8(random.below(8))
                    let changed = try digest(of: store) { try $0.put(value.span, for: row.key.span, in: table) }
                    #expect(changed.digest != whole.digest, "\(tableName): byte \(place) changed")
                }

                let shorter = try digest(of: store) {
                    try $0.put(Array(row.value.dropLast()).span, for: row.key.span, in: table)
                }
                #expect(shorter.digest != whole.digest, "\(tableName): cut")

                var key = row.key
                key[key.count - 1] ^= 0x55
                let added = try digest(of: store) { try $0.put(row.value.span, for: key.span, in: table) }
                #expect(added.digest != whole.digest, "\(tableName): added")

                let renamed = try digest(of: store) { transaction in
                    try transaction.remove(row.key.span, from: table)
                    try transaction.put(row.value.span, for: key.span, in: table)
                }
                #expect(renamed.digest != whole.digest, "\(tableName): another key")

                guard let other = rows.first(where: { $0.value != row.value }) else { continue }
                let swapped = try digest(of: store) { transaction in
                    try transaction.put(other.value.span, for: row.key.span, in: table)
                    try transaction.put(row.value.span, for: other.key.span, in: table)
                }
                #expect(swapped.digest != whole.digest, "\(tableName): swapped")
            }
        }
        #expect(try ViewDigest(store).digest == whole.digest)
        withExtendedLifetime(test) {}
    }

    @Test func `a changed byte of content is reported with its row`() throws {
        let (test, store) = try filled(ConversationsProjection.self)
        let row = try #require(try rows(of: store, 1).first { $0.value.count > MessageRow.bodyPlace + 20 })
        var value = row.value
        value[value.count - 1] ^= 1
        try store.environment.write { try $0.put(value.span, for: row.key.span, in: store.tables[1]) }
        let digest = try ViewDigest(store)
        #expect(digest.damage == ["messages \(Hexadecimal.text(row.key.span)): the row's checksum doesn't match"])
        withExtendedLifetime(test) {}
    }

    @Test func `the checkpoint isn't part of the digest`() throws {
        let (test, store) = try filled(RoomsProjection.self)
        let before = try ViewDigest(store)
        // Events that are nothing to this view.
        let alice = Identifier.random()
        try test.append([.sent("", from: alice, to: alice)])
        var projector = try Projector(store, log: test.log)
        while try projector.advance(limit: 1) {}
        let after = try ViewDigest(store)
        #expect(after.checkpoint != before.checkpoint)
        #expect(after.digest == before.digest)
    }
}
