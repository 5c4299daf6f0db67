import Broker
import Foundation
import Testing

@testable import Server

/// `quipu audit as-of … history` against the answers of a server that had come so far and no further.
struct AsOfAnswersTests {
    @Test(arguments: [1, 2] as [UInt64])
    func `as of every offset it says what type 2 said there, field by field`(seed: UInt64) async throws {
        print("seed \(seed)")
        var random = SplitMix64(seed: seed)
        let sample = try await SampleFolder()
        let people = try SamplePeople(sample)
        var source = AsOfEvents(people: people)
        let events = (1...60).map { source.next(at: SampleFolder.head + $0, &random) }
        try sample.append(events)
        let names = ["alice", "bob", SampleFolder.guest]
        let ids = [people.alice, people.bob, people.guest]
        var (rows, edits, unread, refused) = (0, 0, 0, 0)
        for end in 3...SampleFolder.head + 60 {
            let views = try PastViews(sample, asOf: end, names: Dictionary(uniqueKeysWithValues: zip(ids, names)))
            for (reader, name) in zip(ids, names) {
                let limit: Int? = Bool.random(using: &random) ? .random(in: 1...8, using: &random) : nil
                for (peer, peerName) in zip(ids, names) {
                    let question = HistoryAudit.Question(account: name, peer: peerName, limit: limit, end: end)
                    let found = try sample.historyObject(question)
                    let expected = try views.answer(reader, peer, isRoom: false, limit: limit)
                    let comment = "seed \(seed), \(name) and \(peerName) at \(end)"
                    Self.expect(found, expected, comment)
                    let shown = found["content"] as? [[String: Any]] ?? []
                    rows += shown.count
                    edits += shown.count { $0["CreatedAt"] as? String != $0["UpdatedAt"] as? String }
                    unread += shown.count { $0["is_read"] as? Bool == false }
                }
                let inRoom = HistoryAudit.Question(account: name, room: people.room.uuidText, limit: limit, end: end)
                guard try views.joined(reader, people.room) != nil else {
                    let failure = #expect(throws: CommandFailure.self) { try sample.history(inRoom) }
                    #expect(failure?.status == .usage)
                    refused += 1
                    continue
                }
                let expected = try views.answer(reader, people.room, isRoom: true, limit: limit)
                Self.expect(try sample.historyObject(inRoom), expected, "seed \(seed), \(name) in the room at \(end)")
            }
        }
        #expect(rows > 500)
        #expect(edits > 40)
        #expect(unread > 100)
        #expect(refused > 10)
    }

    @Test(arguments: [4, 5] as [UInt64])
    func `what was erased since is empty in both`(seed: UInt64) async throws {
        print("seed \(seed)")
        var random = SplitMix64(seed: seed)
        let sample = try await SampleFolder()
        let people = try SamplePeople(sample)
        var source = AsOfEvents(people: people)
        let end = SampleFolder.head + 120
        try sample.append((SampleFolder.head + 1...end).map { source.next(at: $0, &random) })
        var texts: [Offset] = []
        try sample.log().read(after: SampleFolder.head) { record in
            let isText = [.messageSent, .messageEdited].contains(record.header.type)
            if isText, Int.random(in: 0..<3, using: &random) == 0 { texts.append(record.offset) }
            return true
        }
        try sample.redact(texts)
        let names = ["alice", "bob", SampleFolder.guest]
        let ids = [people.alice, people.bob, people.guest]
        var redacted = 0
        for end in [end - 50, end - 20, end] {
            let views = try PastViews(sample, asOf: end, names: Dictionary(uniqueKeysWithValues: zip(ids, names)))
            for (reader, name) in zip(ids, names) {
                for (peer, peerName) in zip(ids, names) {
                    let found = try sample.historyObject(.init(account: name, peer: peerName, end: end))
                    let answer = try views.answer(reader, peer, isRoom: false, limit: nil)
                    let comment = "seed \(seed), \(name) and \(peerName) at \(end)"
                    Self.expect(Self.unmarked(found), Self.unmarked(answer), comment)
                    redacted += (found["content"] as? [[String: Any]] ?? []).count { $0["redacted"] as? Bool == true }
                }
            }
        }
        #expect(redacted > 10)
    }

    /// An answer without the marks of what was erased.
    private static func unmarked(_ answer: NSDictionary) -> NSDictionary {
        var answer = answer as? [String: Any] ?? [:]
        if let rows = answer["content"] as? [[String: Any]] {
            answer["content"] = rows.map { row in row.filter { $0.key != "redacted" } }
        }
        return answer as NSDictionary
    }

    /// The same rows, and the same word on whether there are more.
    private static func expect(_ found: NSDictionary, _ answer: NSDictionary, _ comment: String) {
        let isEnd = answer["code"] as? Int == 50001
        let expected = isEnd ? [] : answer["content"] as? NSArray
        #expect(found["content"] as? NSArray == expected, "\(comment)")
        if !isEnd { #expect(found["more"] as? Bool == answer["more"] as? Bool, "\(comment)") }
        #expect(found["as_of"] as? Int == answer["as_of"] as? Int, "\(comment)")
    }
}

/// Random events of a few people and a room, from one offset on.
private struct AsOfEvents {
    let people: SamplePeople
    private var messages: [(offset: Offset, author: AccountID, peer: AccountID?)] = []

    private static let texts = [
        "", "secret words", SampleFolder.rudeText, "你好 👩‍👩‍👧‍👦", "e\u{301}", "\u{0}\u{7F}\u{9B}\u{2028}",
        String(repeating: "長", count: 400),
    ]

    init(people: SamplePeople) { self.people = people }

    mutating func next(at offset: Offset, _ random: inout SplitMix64) -> SampleEvent {
        let accounts = [people.alice, people.bob, people.guest]
        let me = accounts[Int.random(in: 0..<3, using: &random)]
        let peer = Int.random(in: 0..<5, using: &random) < 3 ? accounts[Int.random(in: 0..<3, using: &random)] : nil
        let text = Self.texts[Int.random(in: 0..<Self.texts.count, using: &random)]
        // Some are none of the conversation's.
        let mark = Offset.random(in: 1...offset, using: &random)
        switch Int.random(in: 0..<20, using: &random) {
        case 0..<8:
            messages.append((offset, me, peer))
            guard let peer else { return .said(text, by: me, room: people.room) }
            return .said(text, by: me, to: peer)
        case 8..<10:
            guard let peer else { return .read(mark, by: me, room: people.room) }
            return .read(mark, by: me, from: peer)
        case 10..<14:
            guard let message = messages.randomElement(using: &random) else { return .left(me, people.room) }
            guard let peer = message.peer else {
                return .edited(message.offset, text, by: message.author, room: people.room)
            }
            return .edited(message.offset, text, by: message.author, to: peer)
        case 14..<16:
            let target = messages.randomElement(using: &random) ?? (mark, me, peer)
            guard let peer = target.peer else {
                return .deleted(target.offset, by: target.author, room: people.room)
            }
            return .deleted(target.offset, by: target.author, to: peer)
        case 16..<19: return .joined(me, people.room)
        default: return .left(me, people.room)
        }
    }
}
