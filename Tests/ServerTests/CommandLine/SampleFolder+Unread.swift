import Broker
import Foundation
import LMDB
import Projections
import Testing

@testable import Server

/// Who is who in a sample, for events that come after it.
struct SamplePeople: Sendable {
    var alice, bob, guest: AccountID
    var room: RoomID
    let other = RoomID(high: 0xFEDC_BA98_7654_4321, low: 0x8765_4321_FEDC_BA98)

    init(_ sample: SampleFolder) throws {
        alice = try sample.account("alice")
        bob = try sample.account("bob")
        guest = try sample.account(SampleFolder.guest)
        room = sample.room
    }
}

extension SampleFolder {
    /// What isn't read by the log in the folder, and by the view there.
    func unread(_ question: UnreadAudit.Question, patience: Duration = .zero) async throws -> UnreadReport {
        try await UnreadAudit(folder: folder, log: log(), viewPatience: patience).answer(question)
    }

    /// Writes another mark into the view's row of an account, as a fault in the projection would.
    func changeMark(of account: AccountID, in stream: StreamID, to mark: UInt8) throws {
        let directory = ViewFolder(data: folder.path).directory(of: UnreadProjection.self)
        let tables = UnreadProjection.tables.count + 1
        let environment = try Environment(path: directory, options: .init(mapBytes: 1 << 26, tables: tables))
        var key = Key()
        key.append(account)
        key.append(stream)
        try environment.write { transaction in
            let members = try transaction.openTable("members")
            var row: [UInt8] = []
            if let value = try transaction.value(of: key.span, in: members) { row.append(value) }
            guard !row.isEmpty else { throw CommandFailure("the view has no such row") }
            // The ordinal of the last message that was read, after two flags, an id and two numbers.
            row[34] = mark
            try transaction.put(row.span, for: key.span, in: members)
        }
    }
}

extension UnreadReport {
    /// The lines that it prints.
    func table(mostRanges: Int? = UnreadTable.mostRanges) throws -> [String] {
        try printed { try UnreadTable(mostRanges: mostRanges).write(self, to: &$0) }
            .split(separator: "\n").map(String.init)
    }

    /// What its line of JSON holds.
    func object() throws -> [String: Any] {
        #expect(json.count { $0 == UInt8(ascii: "\n") } == 1)
        return try #require(try JSONSerialization.jsonObject(with: Data(json)) as? [String: Any])
    }
}
