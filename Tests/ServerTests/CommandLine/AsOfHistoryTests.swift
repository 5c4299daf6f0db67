import Broker
import Foundation
import Testing

@testable import Server

/// `quipu audit as-of … history`: what it prints, and what may be asked for.
struct AsOfHistoryTests {
    @Test func `it is newest first, edited, without what was deleted, and read as it was then`() async throws {
        let sample = try await SampleFolder()
        let people = try SamplePeople(sample)
        try sample.append([
            .said("one", by: people.alice, to: people.bob), .edited(5, "hi\u{1B}[2J", by: people.bob, to: people.alice),
            .deleted(4, by: people.alice, to: people.bob), .read(16, by: people.bob, from: people.alice),
        ])
        func history(_ end: Offset, limit: Int? = nil) throws -> [String] {
            try sample.history(.init(account: "alice", peer: "bob", limit: limit, end: end))
        }
        #expect(
            try history(5) == [
                "OFFSET  TIME                      STATE   FROM              TEXT",
                "     5  2026-01-01T00:00:04.000Z  unread  bob               你好",
                "     4  2026-01-01T00:00:03.000Z  unread  alice             "
                    + #"hello, "bob"\r\n\u{1B}[31mred\u{202E} \\o/"#,
                "alice with bob, as of offset 5, 2026-01-01T00:00:04.000Z: 2 messages",
            ]
        )
        #expect(
            try history(19) == [
                "OFFSET  TIME                      EDITED                    STATE   FROM              TEXT",
                "    16  2026-01-01T00:00:12.000Z                            read    alice             one",
                "     5  2026-01-01T00:00:04.000Z  2026-01-01T00:00:13.000Z  unread  bob               hi\\u{1B}[2J",
                "alice with bob, as of offset 19, 2026-01-01T00:00:15.000Z: 2 messages",
            ]
        )
        #expect(try history(18, limit: 1).count == 3)
        #expect(try history(18, limit: 1)[1].contains("unread  alice "))
        #expect(try history(18, limit: 1).last?.hasSuffix("15.000Z: the newest 1 of 2 messages") == false)
        #expect(try history(18, limit: 1).last?.hasSuffix(": the newest 1 of 2 messages") == true)
        #expect(try history(18, limit: 2).last?.hasSuffix(": 2 messages") == true)
        #expect(try history(4).last?.hasSuffix("03.000Z: 1 message") == true)
        #expect(
            try history(3) == ["alice with bob, as of offset 3, 2026-01-01T00:00:02.000Z: no messages"]
        )
        let empty = try sample.historyObject(.init(account: "alice", peer: "bob", limit: 5, end: 3))
        #expect(empty["content"] as? NSArray == [])
        #expect(empty["more"] as? Bool == false)
        #expect(empty["time"] as? String == "2026-01-01T00:00:02.000Z")
    }

    @Test func `a room is shown to who was in it, with the names of all who wrote`() async throws {
        let sample = try await SampleFolder()
        let people = try SamplePeople(sample)
        try sample.append([
            .joined(people.guest, people.room), .said("I am here", by: people.guest, room: people.room),
        ])
        let lines = try sample.history(.init(account: "bob", room: SampleFolder.roomName, end: 17))
        #expect(
            lines == [
                "OFFSET  TIME                      STATE   FROM              TEXT",
                "    17  2026-01-01T00:00:13.000Z  unread  客-é              I am here",
                "     9  2026-01-01T00:00:06.000Z  read    alice             to all",
                "bob in general, \"all\" (01234567-89ab-4def-8123-456789abcdef), as of offset 17, "
                    + "2026-01-01T00:00:13.000Z: 2 messages",
            ]
        )
        let object = try sample.historyObject(.init(account: "bob", room: sample.room.uuidText, end: 17))
        #expect(object["room"] as? String == sample.room.uuidText)
        #expect(object["room_name"] as? String == SampleFolder.roomName)
        #expect(object["more"] == nil)
        // Of rooms with one name it is the one that the account was in.
        try sample.append([.made(people.other, SampleFolder.roomName, by: people.alice)])
        try sample.append([.joined(people.alice, people.other), .joined(people.bob, people.other)])
        let mine = try sample.historyObject(.init(account: "alice", room: SampleFolder.roomName, end: 20))
        #expect(mine["room"] as? String == people.other.uuidText)
        let failure = #expect(throws: CommandFailure.self) {
            try sample.history(.init(account: "bob", room: SampleFolder.roomName, end: 20))
        }
        #expect(failure?.status == .usage)
        #expect(failure?.message.contains("2 rooms have the name") == true)
    }

    @Test func `a room whose name is another one's id doesn't stand in its way`() async throws {
        let sample = try await SampleFolder()
        let people = try SamplePeople(sample)
        // The impostor is there before the room is.
        let impostor = RoomID(high: 7, low: 7)
        try sample.append([
            .made(impostor, people.other.uuidText, by: people.bob), .joined(people.bob, impostor),
            .said("in the impostor", by: people.bob, room: impostor),
            .made(people.other, "b", by: people.bob), .joined(people.bob, people.other),
            .said("in the room", by: people.bob, room: people.other),
        ])
        let question = HistoryAudit.Question(account: "bob", room: people.other.uuidText, end: 21)
        #expect(try sample.history(question)[1].hasSuffix("in the room"))
        let members = try sample.members(of: people.other.uuidText, asOf: 21)
        #expect(members.room == .init(id: people.other, name: "b"))
    }

    @Test func `what was erased since is shown as redacted, whatever is like it`() async throws {
        let sample = try await SampleFolder()
        let people = try SamplePeople(sample)
        try sample.append([
            .edited(5, "a better word", by: people.bob, to: people.alice),
            .said("", by: people.bob, to: people.alice), .said("(redacted)", by: people.bob, to: people.alice),
            .said("it was me", by: people.bob, to: people.alice), .read(19, by: people.alice, from: people.bob),
            .edited(17, "no, me", by: people.bob, to: people.alice), .edited(19, "x", by: people.bob, to: people.alice),
        ])
        // A message that was edited later, an edit, and a message whose edit stays: its own redaction covers that.
        try sample.redact([4, 5, 19, 21])
        func history(_ end: Offset) throws -> [String] {
            try sample.history(.init(account: "alice", peer: "bob", end: end)).dropFirst().dropLast()
                .map { String($0.dropFirst(8 + 26)) }
        }
        #expect(try history(5) == ["unread, redacted  bob", "unread, redacted  alice"])
        let edited = { (second: Int) in "2026-01-01T00:00:\(second).000Z  " }
        let none = String(repeating: " ", count: 26)
        #expect(
            try history(22) == [
                edited(18) + "read, redacted  bob", none + "read    bob               (redacted)",
                edited(17) + "read, redacted  bob", edited(12) + "read, redacted  bob",
                none + "unread, redacted  alice",
            ]
        )
        #expect(try history(20)[2] == none + "read    bob")
        let object = try sample.historyObject(.init(account: "alice", peer: "bob", end: 20))
        let rows = try #require(object["content"] as? [[String: Any]])
        #expect(rows.map { $0["content"] as? String } == ["", "(redacted)", "", "", ""])
        #expect(rows.map { $0["redacted"] as? Bool } == [true, nil, nil, true, true])
    }

    @Test func `whose name was erased is found and shown by the id`() async throws {
        let sample = try await SampleFolder()
        let people = try SamplePeople(sample)
        try sample.redact([2, 6])
        let bob = people.bob.description
        let asked = try sample.history(.init(account: "alice", peer: bob, end: 15))
        #expect(asked[1].contains("  \(bob)  你好"))
        #expect(asked.last?.hasPrefix("alice with \(bob), as of") == true)
        #expect(try sample.history(.init(account: bob, peer: "alice", end: 15)).count == 4)
        let inRoom = try sample.historyObject(.init(account: "alice", room: sample.room.uuidText, end: 12))
        #expect(inRoom["room_name"] is NSNull)
        #expect(try sample.members(of: sample.room.uuidText, asOf: 12).rows.map(\.party.label) == ["alice", bob])
        // Asked for by the id, one that has a name is shown by the name.
        let named = try sample.history(.init(account: people.alice.description, peer: bob, end: 15))
        #expect(named == asked)
        for end in [1, 15] as [Offset] {
            let nobody = end == 1 ? bob : people.other.description
            let failure = #expect(throws: CommandFailure.self) {
                try sample.history(.init(account: "alice", peer: nobody, end: end))
            }
            #expect(failure?.message == "there is no account \"\(nobody)\" up to offset \(end)")
            #expect(failure?.status == .usage)
        }
    }

    @Test(arguments: [false, true])
    func `no text and no name moves the cursor`(json: Bool) async throws {
        let sample = try await SampleFolder()
        let people = try SamplePeople(sample)
        try sample.append([
            .made(people.other, "\u{1B}[31m\u{9B}x", by: people.bob), .joined(people.bob, people.other),
            .said(SampleFolder.rudeText + "\u{7F}\u{9B}\r", by: people.bob, room: people.other),
        ])
        for question in [
            HistoryAudit.Question(account: "bob", room: people.other.uuidText, end: 18),
            HistoryAudit.Question(account: "bob", peer: "alice", end: 18),
        ] {
            let text = try sample.history(question, json: json).joined()
            #expect(text.contains("hello"))
            #expect(text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control })
        }
    }

    @Test func `a long history comes whole, in slices`() async throws {
        let sample = try await SampleFolder()
        let people = try SamplePeople(sample)
        try sample.append((0..<700).map { .said("message \($0)", by: people.bob, to: people.guest) })
        try sample.append([.edited(16, "changed", by: people.bob, to: people.guest)])
        let question = HistoryAudit.Question(account: "bob", peer: SampleFolder.guest, end: 716)
        let rows = try #require(try sample.historyObject(question)["content"] as? [[String: Any]])
        let expected = (1..<700).reversed().map { "message \($0)" } + ["changed"]
        #expect(rows.map { $0["content"] as? String } == expected)
        #expect(rows.map { $0["ID"] as? Int } == (16...715).reversed())
        #expect(rows.last?["UpdatedAt"] as? String == "2026-01-01T00:11:52.000Z")
    }

    private static let wrong: [(HistoryAudit.Question, String)] = [
        (.init(account: "zed", peer: "bob", end: 15), "there is no account \"zed\" in this log"),
        (.init(account: "bob", peer: "a/b", end: 15), "is no account"),
        (.init(account: "bob", peer: "alice", end: 1), "there is no account \"bob\" up to offset 1"),
        (.init(account: "alice", peer: SampleFolder.guest, end: 2), "there is no account \"\(SampleFolder.guest)\""),
        (.init(account: "bob", room: SampleFolder.roomName, end: 1), "there is no account \"bob\" up to offset 1"),
        (.init(account: "alice", room: "kitchen", end: 15), "there is no room \"kitchen\" up to offset 15"),
        (.init(account: "alice", room: SampleFolder.roomName, end: 5), "there is no room \"general,"),
        (.init(account: "alice", room: SampleFolder.roomName, end: 6), "as of offset 6: it would have been shown"),
        (.init(account: "alice", room: SampleFolder.roomName, end: 13), "\"alice\" was not in the room"),
        (.init(account: SampleFolder.guest, room: SampleFolder.roomName, end: 15), "was not in the room"),
    ]

    @Test(arguments: wrong)
    func `who or what wasn't there is said in a sentence`(
        question: HistoryAudit.Question,
        sentence: String
    ) async throws {
        let sample = try await SampleFolder()
        let failure = #expect(throws: CommandFailure.self) { try sample.history(question) }
        #expect(failure?.status == .usage)
        #expect(failure?.message.contains(sentence) == true, "\(failure?.message ?? "")")
    }
}
