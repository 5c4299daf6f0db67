import Testing

@testable import Broker

/// Thousands of random commands against a plain model, with views that lag, batches that fail and restarts in between.
@Suite struct DeciderModelTests {
    private static let limits = DecisionLimits(unanswered: 3, roomMembers: 4, userRooms: 2)

    /// A small memory forgets what the views have caught up with after nearly every batch, a large one never.
    @Test(arguments: 1...8 as ClosedRange<UInt64>, [3, 200_000])
    func `every command comes out as in the model`(seed: UInt64, memoryCapacity: Int) throws {
        var random = SplitMix(seed: seed)
        var bench = WriterBench(limits: Self.limits, memoryCapacity: memoryCapacity)
        var model = DeciderModel(limits: Self.limits)
        var commands = CommandSource()
        var revisions: [StreamID: UInt64] = [:]
        var restartedAt: Offset = 0
        var tally: [String: Int] = [:]

        for round in 0..<400 {
            let isAway = Int.random(in: 0..<20, using: &random) == 0
            if isAway { bench.views.setAway([FakeViews.Name.allCases.randomElement(using: &random) ?? .rooms]) }
            let (committedModel, committedRevisions) = (model, revisions)
            let knowsIDs = bench.views.conversationsProjected >= restartedAt
            bench.begin()
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                let command = commands.next(for: model, &random)
                let before = bench.decider.batch
                let outcome = bench.decide(next: command)
                let appended = Array(bench.decider.batch.entries.dropFirst(before.entries.count))
                tally[Self.label(outcome), default: 0] += 1
                for entry in appended {
                    let isInBatch = entry.header.reference >= before.first
                    if entry.header.type == .messageEdited {
                        tally[isInBatch ? "editInBatch" : "edit", default: 0] += 1
                    }
                    if entry.header.type == .messageDeleted {
                        tally[isInBatch ? "deleteInBatch" : "delete", default: 0] += 1
                    }
                    if entry.header.type == .payloadRedacted {
                        tally[isInBatch ? "redactionInBatch" : "redaction", default: 0] += 1
                    }
                    if entry.header.type == .userErased { tally["erasure", default: 0] += 1 }
                }

                if case .refused = outcome {
                    #expect(bench.decider.batch.bytes == before.bytes, "round \(round): \(command)")
                    #expect(bench.decider.batch.redactions == before.redactions, "round \(round): \(command)")
                    #expect(bench.decider.batch.names.count == before.names.count, "round \(round): \(command)")
                }
                // A view that is away may refuse anything.
                if isAway, outcome == .refused(.unavailable) { continue }
                var newAccount: AccountID?
                if case .account(let id, _) = outcome { newAccount = id }
                let (expected, events) = model.decide(command, newAccount: newAccount, knowsIDs: knowsIDs)
                try #require(outcome == expected, "round \(round): \(command)")
                try #require(appended.map { DeciderModel.Event($0.header) } == events, "round \(round): \(command)")
                for entry in appended {
                    revisions[entry.header.stream, default: 0] += 1
                    #expect(entry.header.revision == revisions[entry.header.stream])
                    #expect(entry.header.milliseconds == 1000 + bench.head)
                }
                #expect(bench.decider.batch.last == model.head)
            }
            bench.views.setAway([])
            if Int.random(in: 0..<6, using: &random) == 0 {
                bench.rollBack()
                (model, revisions) = (committedModel, committedRevisions)
            } else {
                try bench.commit()
            }
            for name in FakeViews.Name.allCases where Int.random(in: 0..<3, using: &random) == 0 {
                bench.views.project([name], upTo: .random(in: 0...bench.head, using: &random))
            }
            if Int.random(in: 0..<40, using: &random) == 0 {
                try bench.restart()
                restartedAt = bench.head
            }
        }
        for label in Self.allLabels { #expect(tally[label, default: 0] > 0, "nothing came out as \(label)") }
    }

    private static let allLabels = [
        "stored", "duplicate", "unchanged", "account", "accountTaken", "noSuchRoom", "notMember", "notAllowed",
        "unanswered", "tooManyMembers", "tooManyRooms", "unavailable", "noSuchMessage", "notAuthor", "edit", "delete",
        "editInBatch", "deleteInBatch", "redaction", "redactionInBatch", "erasure", "noSuchEvent", "notErasable",
        "noSuchAccount",
    ]

    private static func label(_ outcome: Outcome) -> String {
        switch outcome {
        case .stored: "stored"
        case .duplicate: "duplicate"
        case .unchanged: "unchanged"
        case .account: "account"
        case .refused(let refusal): "\(refusal)"
        }
    }
}

extension DeciderModel.Event {
    fileprivate init(_ header: EventHeader) {
        self.init(
            type: header.type,
            actor: header.actor,
            subject: header.subject,
            stream: header.stream,
            reference: header.reference
        )
    }
}

/// Random commands of a few people in a few rooms, so that they get in each other's way.
private struct CommandSource {
    private let people = (1...5 as ClosedRange<UInt8>).map(Sample.id)
    private let names = ["a", "b", "c", "d", "e", "f"].map { AccountName(trusting: Array($0.utf8)) }
    private var rooms: [RoomID] = []
    /// Where a message was last sent, or at least tried to.
    private var latest = Command.Conversation(me: Sample.id(1), peer: Sample.id(1))

    mutating func next(for model: DeciderModel, _ random: inout SplitMix) -> Command {
        let command = make(for: model, &random)
        if case .send(let message) = command { latest = message.conversation }
        return command
    }

    private mutating func make(for model: DeciderModel, _ random: inout SplitMix) -> Command {
        let me = person(&random)
        let other = person(&random)
        let id = Bool.random(using: &random) ? "" : "id-\(Int.random(in: 0..<40, using: &random))"
        let upTo = Bool.random(using: &random) ? .max : Offset.random(in: 0...model.head + 2, using: &random)
        switch Int.random(in: 0..<30, using: &random) {
        case 26..<29:
            let bound = model.head + (Int.random(in: 0..<8, using: &random) == 0 ? 2 : 0)
            // Mostly what is recent, so that it may be in the batch being built, and some older events as well.
            let offsets = (0..<Int.random(in: 1...3, using: &random)).map { _ in
                Offset.random(in: (Bool.random(using: &random) ? bound - min(bound, 6) : 0)...bound, using: &random)
            }
            return .redact(.init(offsets: offsets, reason: "r", actor: .random(using: &random) ? .none : me))
        case 29: return account(model, &random)
        case 0..<5: return .send("x", from: me, to: other, id: id)
        case 5..<8: return .send("x", from: me, room: room(in: model, &random), id: id)
        case 8..<10: return .markRead(by: me, peer: other, upTo: upTo)
        case 10..<12: return .markRead(by: me, room: room(in: model, &random), upTo: upTo)
        case 12: return .admitGuest(name(&random))
        case 13: return .register(name(&random), adoptsGuest: .random(using: &random))
        case 14: return .recordLogin(me, address: "::1", port: 1)
        case 15: return .recordFailedLogin(me, address: "::1")
        case 16:
            let room = RoomID(high: random.next(), low: random.next())
            rooms.append(room)
            let members = (0..<Int.random(in: 0...6, using: &random)).map { _ in person(&random) }
            return .createRoom(room, creator: me, name: "r", members: members)
        case 17: return .addMember(other, to: room(in: model, &random), by: me)
        case 18..<24:
            let peer = Command.Conversation(me: me, peer: other)
            let room = Command.Conversation(me: me, room: room(in: model, &random))
            return change(in: [latest, peer, room].randomElement(using: &random) ?? peer, model, &random)
        default:
            let room = self.room(in: model, &random)
            let actor = model.rooms[room]?.members.randomElement(using: &random) ?? me
            return .removeMember(Bool.random(using: &random) ? actor : other, from: room, by: actor)
        }
    }

    /// The end of an account that has a name, or what an account does that may be at its end.
    private func account(_ model: DeciderModel, _ random: inout SplitMix) -> Command {
        let name = names.filter { model.names[$0] != nil }.randomElement(using: &random) ?? names[0]
        let account = model.names[name] ?? Sample.id(1)
        if let erased = model.erased.sorted().randomElement(using: &random), Bool.random(using: &random) {
            return Bool.random(using: &random)
                ? .recordAuditorRead(erased, request: "all")
                : .eraseUser(.init(account: erased, names: [], reason: "r", actor: .none))
        }
        return .eraseUser(.init(account: account, names: [name], reason: "r", actor: .none))
    }

    /// An edit or a deletion, more often than not of a message that is there, and by who wrote it.
    private func change(
        in conversation: Command.Conversation,
        _ model: DeciderModel,
        _ random: inout SplitMix
    ) -> Command {
        var conversation = conversation
        var target = Offset.random(in: 0...model.head + 2, using: &random)
        if let recent = model.messages[conversation.stream]?.suffix(3).randomElement(using: &random),
            Int.random(in: 0..<5, using: &random) > 0
        {
            target = recent.offset
            if conversation.isRoom, Int.random(in: 0..<4, using: &random) > 0 { conversation.me = recent.sender }
        }
        return Bool.random(using: &random)
            ? .edit(target, "y", in: conversation) : .delete(conversation, target: target)
    }

    private func person(_ random: inout SplitMix) -> AccountID { people.randomElement(using: &random) ?? people[0] }

    private func name(_ random: inout SplitMix) -> AccountName { names.randomElement(using: &random) ?? names[0] }

    /// One of the last few rooms, or one that was never made.
    private func room(in model: DeciderModel, _ random: inout SplitMix) -> RoomID {
        let made = rooms.filter { model.rooms[$0] != nil }.suffix(6)
        return Int.random(in: 0..<10, using: &random) == 0
            ? Sample.id(0xee) : made.randomElement(using: &random) ?? Sample.id(0xee)
    }
}
