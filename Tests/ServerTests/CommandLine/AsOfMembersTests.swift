import Broker
import Foundation
import Projections
import Testing

@testable import Server

/// `quipu audit as-of … members`: against the view of rooms that had come so far and no further.
struct AsOfMembersTests {
    @Test(arguments: [1, 2] as [UInt64])
    func `as of every offset it says what the view said there`(seed: UInt64) async throws {
        print("seed \(seed)")
        var random = SplitMix64(seed: seed)
        let sample = try await SampleFolder()
        let people = try SamplePeople(sample)
        let accounts = [people.alice, people.bob, people.guest]
        let made = [SampleEvent.made(people.other, "kitchen", by: people.guest)]
        let changes = (0..<50).map { _ -> SampleEvent in
            let account = accounts[Int.random(in: 0..<3, using: &random)]
            let room = Bool.random(using: &random) ? people.room : people.other
            switch Int.random(in: 0..<5, using: &random) {
            case 0..<2: return .joined(account, room)
            case 2..<4: return .left(account, room)
            default: return .owned(room, by: account)
            }
        }
        try sample.append(made + changes)
        let names = [people.alice: "alice", people.bob: "bob", people.guest: SampleFolder.guest]
        var (seen, owners, absent) = (0, Set<AccountID>(), 0)
        for end in 6...SampleFolder.head + 51 {
            let view = RoomsView(try sample.past(RoomsProjection.self, asOf: end))
            for (name, id) in [(SampleFolder.roomName, people.room), ("kitchen", people.other)] {
                guard let room = try view.room(id).value else { continue }
                let owner = room.owner
                let report = try sample.members(of: name, asOf: end)
                let members = try #require(try view.members(of: id, after: nil, limit: .max).value)
                let comment: Comment = "seed \(seed), \(name) at \(end)"
                #expect(report.room == .init(id: id, name: name), comment)
                #expect(report.owner == .init(id: owner, name: names[owner]), comment)
                #expect(report.rows.map(\.party.id) == members, comment)
                #expect(report.rows.map(\.party.name) == members.map { names[$0] }, comment)
                #expect(report.rows.map(\.joined) == (try members.map { try view.joined($0, id).value }), comment)
                #expect(report.rows.filter(\.isOwner).map(\.party.id) == members.filter { $0 == owner }, comment)
                seen += members.count
                owners.insert(owner)
                absent += members.contains(owner) ? 0 : 1
            }
        }
        #expect(seen > 50 && owners.count == 3 && absent > 0)
    }

    @Test func `it says who, since when, and whose it is`() async throws {
        let sample = try await SampleFolder()
        let people = try SamplePeople(sample)
        #expect(
            try sample.members(of: SampleFolder.roomName, asOf: 12).table() == [
                "OFFSET  JOINED                    OWNER  ACCOUNT",
                "     7  2026-01-01T00:00:05.000Z  owner  alice", "     8  2026-01-01T00:00:05.000Z         bob",
                "general, \"all\" (01234567-89ab-4def-8123-456789abcdef), as of offset 12, "
                    + "2026-01-01T00:00:09.000Z: 2 members",
            ]
        )
        // Gone, but still the owner: the next event hands the room on.
        let between = try sample.members(of: sample.room.uuidText, asOf: 13)
        #expect(try between.table().last?.hasSuffix(": 1 member; alice, whose it was last, had left") == true)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(between.json)) as? [String: Any])
        #expect(object["owner"] as? String == "alice")
        #expect(object["as_of"] as? Int == 13)
        #expect(object["room"] as? String == sample.room.uuidText)
        let members = try #require(object["members"] as? [[String: Any]])
        #expect(members.count == 1)
        #expect(
            members[0] as NSDictionary == [
                "account": "bob", "account_id": people.bob.description, "joined": 8,
                "joined_at": "2026-01-01T00:00:05.000Z", "owner": false,
            ]
        )
        try sample.append([
            .left(people.bob, people.room), .made(people.other, "\u{1B}[31m\u{9B}x", by: people.bob),
        ])
        let empty = try sample.members(of: SampleFolder.roomName, asOf: 16).table()
        #expect(empty.count == 1)
        #expect(empty[0].hasSuffix(": no members; bob, whose it was last, had left"))
        let rude = try sample.members(of: people.other.uuidText, asOf: 17)
        for text in [try rude.table().joined(), String(decoding: rude.json.dropLast(), as: UTF8.self)] {
            #expect(text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control })
        }
    }

    @Test(
        arguments: [
            ("kitchen", 15, "there is no room \"kitchen\" up to offset 15"),
            (SampleFolder.roomName, 5, "up to offset 5"),
            ("01234567-89ab-4def-8123-456789abcdee", 15, "there is no room"), ("", 15, "there is no room"),
        ] as [(String, Offset, String)]
    )
    func `a room that wasn't there is said in a sentence`(room: String, end: Offset, sentence: String) async throws {
        let sample = try await SampleFolder()
        let failure = #expect(throws: CommandFailure.self) { try sample.members(of: room, asOf: end) }
        #expect(failure?.status == .usage)
        #expect(failure?.message.contains(sentence) == true, "\(failure?.message ?? "")")
    }

    @Test func `of several rooms with one name somebody must say which`() async throws {
        let sample = try await SampleFolder()
        let people = try SamplePeople(sample)
        try sample.append([.made(people.other, SampleFolder.roomName, by: people.guest)])
        #expect(try sample.members(of: SampleFolder.roomName).rows.count == 1)
        let failure = #expect(throws: CommandFailure.self) {
            try sample.members(of: SampleFolder.roomName, asOf: 16)
        }
        #expect(failure?.status == .usage)
        #expect(failure?.message.contains(people.other.uuidText) == true)
        #expect(try sample.members(of: people.other.uuidText, asOf: 16).rows == [])
    }
}

extension MembersReport {
    /// The lines that it prints.
    fileprivate func table() throws -> [String] {
        try printed { try writeTable(to: &$0) }.split(separator: "\n").map(String.init)
    }
}
