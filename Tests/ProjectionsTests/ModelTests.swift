import Testing

@testable import Broker
@testable import Projections

/// Random histories, asked in every way, against a model that goes through the whole history for each answer.
struct ModelTests {
    @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64])
    func `every query agrees with a naive model at every step`(seed: UInt64) async throws {
        print("seed \(seed)")
        let test = try TestLog()
        var scenario = Scenario(seed: seed, redacts: seed > 4)
        var random = SeededRandom(seed: seed &* 31)
        let views = try test.openViews(options: .init(batchEvents: 1 + random.below(50)))
        try views.start()
        for _ in 0..<12 {
            try test.append(scenario.events(1 + random.below(120)))
            test.announce(to: views)
            try await views.settle(at: test.log.head)
            let checks = Checks(
                model: Model(events: test.events),
                views: views,
                scenario: scenario,
                head: test.log.head
            )
            try checks.users()
            try checks.rooms()
            try checks.conversations()
            try checks.unread()
        }
        views.stop()
    }
}

private struct Checks {
    let model: Model
    let views: Views
    let scenario: Scenario
    let head: Offset

    func users() throws {
        for (index, id) in scenario.accounts.enumerated() {
            let last = model.events.enumerated().last { $0.element.actor == id && $0.element.type == .userLoggedIn }
            let registration = model.events.enumerated().last {
                $0.element.actor == id && [.userRegistered, .guestSeen].contains($0.element.type)
            }
            let answer = try views.users.account(id)
            #expect(answer.asOf == head)
            guard let registration else {
                #expect(answer.value == nil)
                continue
            }
            let account = try #require(answer.value)
            #expect(account.registeredOffset == Offset(registration.offset) + 1)
            #expect(account.isGuest == (registration.element.type == .guestSeen))
            #expect(account.lastLoginMilliseconds == last.map { TestLog.milliseconds(of: Offset($0.offset) + 1) } ?? 0)
            let name = try AccountName("\(index % 3 == 2 ? "guest" : "user")\(index)")
            let isErased = model.events.contains { $0.type == .userErased && $0.subject == id }
            #expect((account.passwordHash == nil) == (account.isGuest || isErased))
            #expect(account.email.isEmpty == (account.isGuest || isErased))
            #expect(account.username.isEmpty == (account.isGuest || isErased))
            #expect(account.name.text == (isErased ? "" : name.text))
            #expect(try views.users.account(named: name).value == (isErased ? nil : account))
            #expect(try views.users.name(of: id) == (isErased ? nil : name))
            #expect(try views.users.erasedAccounts().value.contains(id) == isErased)
        }
        #expect(try views.users.account(named: AccountName("nobody")).value == nil)
    }

    func rooms() throws {
        for room in scenario.rooms {
            let members = model.members(of: room)
            let answer = try #require(try views.rooms.room(room).value)
            #expect(answer.memberCount == members.count)
            #expect(answer.owner == model.owner(of: room))
            #expect(answer.name == model.name(of: room))
            #expect(try views.rooms.members(of: room, after: nil, limit: 100).value == members)
            for (index, member) in members.enumerated() {
                let page = try views.rooms.members(of: room, after: member, limit: 2).value
                #expect(page == Array(members.dropFirst(index + 1).prefix(2)))
            }
            for account in scenario.accounts {
                #expect(try views.rooms.isMember(account, of: room).value == members.contains(account))
            }
        }
        for account in scenario.accounts {
            let expected = scenario.rooms.filter { model.members(of: $0).contains(account) }.sorted()
            #expect(try views.rooms.rooms(of: account).value == expected)
            #expect(try views.rooms.roomCount(of: account).value == expected.count)
            try spans(of: account)
        }
    }

    private func spans(of account: AccountID) throws {
        let spans = model.spans(of: account)
        var offsets: [Offset] = [0, head / 3, head / 2, head, head + 1]
        for span in spans { offsets += [span.joined - 1, span.joined, span.left] }
        for offset in offsets {
            let lasting = spans.filter { $0.left == 0 || $0.left > offset }
            let answer = try views.rooms.spans(of: account, after: offset)
            #expect(answer.value == lasting)
            #expect(answer.asOf == head)
            let then = Model(events: Array(model.events.prefix(Int(offset))))
            #expect(
                try views.rooms.rooms(of: account, at: offset).value
                    == scenario.rooms.filter { then.members(of: $0).contains(account) }.sorted()
            )
        }
    }

    func conversations() throws {
        for stream in Set(model.events.map(\.stream)).sorted() {
            #expect(try views.conversations.state(of: stream).value == model.streamState(stream))
            let expected = model.messages(in: stream)
            #expect(try messages(in: stream, from: 1, newestFirst: false, limit: .max) == expected)
            let newest = UInt64(expected.count)
            #expect(
                try messages(in: stream, from: newest, newestFirst: true, limit: 7) == expected.suffix(7).reversed()
            )
            for (index, message) in expected.enumerated() where index % 5 == 0 {
                let ordinal = UInt64(index) + 1
                #expect(try views.conversations.location(of: message.offset, in: stream).value == ordinal)
                #expect(try views.conversations.firstOrdinal(in: stream, after: message.offset) == ordinal + 1)
                #expect(try views.conversations.firstOrdinal(in: stream, after: message.offset - 1) == ordinal)
            }
            for event in [0, 1] + expected.map(\.offset) + [head, .max] {
                let isDeleted = expected.contains { $0.offset == event && $0.isDeleted }
                #expect(try views.isDeleted(event, in: stream).value == isDeleted)
                #expect(try views.isDeleted(event, in: .none).value == false)
            }
            for reader in scenario.accounts {
                let snapshot = try views.conversations.snapshot(of: stream, reader: reader, peer: scenario.accounts[0])
                #expect(snapshot.messageCount == newest)
                #expect(snapshot.readerMark == model.mark(of: reader, in: stream))
                #expect(snapshot.peerMark == model.mark(of: scenario.accounts[0], in: stream))
            }
        }
        let known = model.messageIDs
        for (sender, id, offset) in known {
            let hash = Identifier(hashingMessageID: Array(id.utf8).span)
            #expect(try views.message(withID: hash, from: sender).value == offset)
        }
        for event in model.events {
            guard case .messageSent(_, let id) = event.payload, !id.isEmpty else { continue }
            guard !known.contains(where: { $0.sender == event.actor && $0.id == id }) else { continue }
            let hash = Identifier(hashingMessageID: Array(id.utf8).span)
            #expect(try views.message(withID: hash, from: event.actor).value == nil)
        }
    }

    private func messages(
        in stream: StreamID,
        from ordinal: UInt64,
        newestFirst: Bool,
        limit: Int
    ) throws -> [Model.Message] {
        var rows: [Model.Message] = []
        try views.conversations.forEachMessage(in: stream, from: ordinal, newestFirst: newestFirst, limit: limit) {
            row in
            #expect(row.milliseconds == TestLog.milliseconds(of: row.offset))
            rows.append(
                Model.Message(
                    offset: row.offset,
                    sender: row.sender,
                    text: try unescape(row.contentJSON),
                    updated: row.updatedMilliseconds,
                    isDeleted: row.isDeleted,
                    isRedacted: row.isRedacted
                )
            )
            return true
        }
        return rows
    }

    func unread() throws {
        for account in scenario.accounts {
            let counts = try views.unread.counts(of: account)
            #expect(counts.asOf == head)
            let direct = scenario.accounts.sorted().compactMap { peer -> UnreadView.Counts.Item? in
                let count = model.unread(of: account, in: .conversation(account, peer))
                return count == 0 ? nil : .init(id: peer, count: count)
            }
            #expect(counts.direct.sorted { $0.id < $1.id } == direct)
            let rooms = scenario.rooms.sorted().compactMap { room -> UnreadView.Counts.Item? in
                let count = model.unread(of: account, in: room)
                return count == 0 ? nil : .init(id: room, count: count)
            }
            #expect(counts.rooms == rooms)
            for item in counts.rooms {
                #expect(try views.unread.count(of: account, in: item.id).value?.count == item.count)
            }
        }
    }
}
