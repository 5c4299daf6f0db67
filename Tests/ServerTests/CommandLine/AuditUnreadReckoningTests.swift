import Broker
import Foundation
import Projections
import Testing

@testable import Server

/// `quipu audit unread`: which messages it finds, and that a view of the same events agrees.
struct AuditUnreadReckoningTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var account: String
        /// From offset 16 on.
        var events: @Sendable (SamplePeople) -> [SampleEvent] = { _ in [] }
        /// Each conversation or room with anything unread: its name, up to where it is read, what isn't.
        var expected: [Expected]
    }

    struct Expected: Equatable, Sendable {
        var name: String
        var mark: Offset
        var unread: [Offset]

        init(_ name: String, _ mark: Offset, _ unread: [Offset]) {
            (self.name, self.mark, self.unread) = (name, mark, unread)
        }
    }

    private static let cases: [Case] = [
        Case(
            testDescription: "what others wrote is unread",
            account: "alice",
            expected: [.init("bob", 0, [5]), .init(SampleFolder.guest, 0, [15])]
        ),
        Case(
            testDescription: "a room that was read, of which nothing is left",
            account: "bob",
            expected: [.init("alice", 0, [4])]
        ),
        Case(testDescription: "nobody wrote", account: SampleFolder.guest, expected: []),
        Case(
            testDescription: "marks that come twice",
            account: "alice",
            events: {
                [.sent($0.bob, to: $0.alice)] + Array(repeating: .read(5, by: $0.alice, from: $0.bob), count: 3)
            },
            expected: [.init("bob", 5, [16]), .init(SampleFolder.guest, 0, [15])]
        ),
        Case(
            testDescription: "marks out of order",
            account: "alice",
            events: { people in
                (0..<4).map { _ in .sent(people.bob, to: people.alice) }
                    + [18, 5, 17, 0].map { .read($0, by: people.alice, from: people.bob) }
            },
            expected: [.init("bob", 18, [19]), .init(SampleFolder.guest, 0, [15])]
        ),
        Case(
            testDescription: "a mark past its own offset says nothing of what comes later",
            account: "alice",
            events: { [.read(99, by: $0.alice, from: $0.bob), .sent($0.bob, to: $0.alice)] },
            expected: [.init("bob", 16, [17]), .init(SampleFolder.guest, 0, [15])]
        ),
        Case(
            testDescription: "marks of others, and elsewhere",
            account: "alice",
            events: { [.read(15, by: $0.bob, from: $0.alice), .read(15, by: $0.alice, from: $0.alice)] },
            expected: [.init("bob", 0, [5]), .init(SampleFolder.guest, 0, [15])]
        ),
        Case(
            testDescription: "deleted messages leave, once",
            account: "alice",
            events: { people in
                [.sent(people.bob, to: people.alice), .sent(people.bob, to: people.alice)]
                    + [16, 16, 15].map { .deleted($0, by: people.bob, to: people.alice) }
            },
            expected: [.init("bob", 0, [5, 17]), .init(SampleFolder.guest, 0, [15])]
        ),
        Case(
            testDescription: "what was read before it was deleted isn't taken off again",
            account: "alice",
            events: { people in
                [
                    .sent(people.bob, to: people.alice), .read(5, by: people.alice, from: people.bob),
                    .deleted(5, by: people.bob, to: people.alice),
                ]
            },
            expected: [.init("bob", 5, [16]), .init(SampleFolder.guest, 0, [15])]
        ),
        Case(
            testDescription: "a room that one has left",
            account: "alice",
            events: { [.sent($0.bob, room: $0.room), .read(5, by: $0.alice, from: $0.bob)] },
            expected: [.init(SampleFolder.guest, 0, [15])]
        ),
        Case(
            testDescription: "a room that one came into later",
            account: SampleFolder.guest,
            events: {
                [.sent($0.bob, room: $0.room), .joined($0.guest, $0.room), .sent($0.bob, room: $0.room)]
                    + [.sent($0.guest, room: $0.room), .sent($0.bob, room: $0.room)]
            },
            expected: [.init(SampleFolder.roomName, 0, [18, 20])]
        ),
        Case(
            testDescription: "a room that one came back to",
            account: "bob",
            events: {
                [.joined($0.guest, $0.room), .sent($0.guest, room: $0.room), .left($0.bob, $0.room)]
                    + [.sent($0.guest, room: $0.room), .joined($0.bob, $0.room), .sent($0.guest, room: $0.room)]
                    + [.joined($0.bob, $0.room), .deleted(17, by: $0.guest, room: $0.room)]
            },
            expected: [.init("alice", 0, [4]), .init(SampleFolder.roomName, 0, [21])]
        ),
        Case(
            testDescription: "direct messages come before rooms, peers in the order of their names",
            account: "bob",
            events: {
                [.sent($0.guest, to: $0.bob), .made($0.other, "a", by: $0.bob), .joined($0.bob, $0.other)]
                    + [.joined($0.guest, $0.other), .sent($0.guest, room: $0.other), .sent($0.guest, to: $0.bob)]
            },
            expected: [.init("alice", 0, [4]), .init(SampleFolder.guest, 0, [16, 21]), .init("a", 0, [20])]
        ),
    ]

    @Test(arguments: cases)
    func `the offsets are those of the messages, and the view agrees`(row: Case) async throws {
        let sample = try await SampleFolder()
        let events = row.events(try SamplePeople(sample))
        if !events.isEmpty {
            try sample.append(events)
            try await sample.project()
        }
        let report = try await sample.unread(.init(account: row.account))
        #expect(report.rows.map { Expected($0.party.name ?? "", $0.mark, $0.unread) } == row.expected)
        let head = SampleFolder.head + Offset(events.count)
        #expect(report.asOf == head)
        for account in ["alice", "bob", SampleFolder.guest] {
            #expect(try await sample.unread(.init(account: account)).comparison == .compared(at: head, []))
        }
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `whatever happens, the view agrees, and as of every offset one that ends there`(seed: UInt64) async throws {
        print("seed \(seed)")
        var random = SplitMix64(seed: seed)
        let sample = try await SampleFolder()
        let people = try SamplePeople(sample)
        try sample.append((0..<60).map { _ in Self.event(people, &random) })
        try await sample.project()
        let names = ["alice": people.alice, "bob": people.bob, SampleFolder.guest: people.guest]
        var count = 0
        for end in 3...SampleFolder.head + 60 {
            let directory = sample.folder.path + "/unread-\(end)"
            do {
                let log = try sample.log()
                try Rebuild.build(UnreadProjection.self, from: log, upTo: end, into: directory)
            }
            let view = UnreadView(try View(UnreadProjection.self, readOnlyDirectory: directory))
            for (name, id) in names.sorted(by: { $0.key < $1.key }) {
                let report = try await sample.unread(.init(account: name, asOf: .offset(end)))
                var counts = try view.counts(of: id)
                counts.direct.sort { $0.id < $1.id }
                let direct = report.rows.filter { !$0.isRoom }.sorted { $0.party.id < $1.party.id }
                #expect(direct.map(\.party.id) == counts.direct.map(\.id), "seed \(seed), \(name) at \(end)")
                #expect(direct.map { UInt64($0.unread.count) } == counts.direct.map(\.count), "seed \(seed), \(end)")
                let rooms = report.rows.filter(\.isRoom)
                #expect(rooms.map(\.party.id) == counts.rooms.map(\.id), "seed \(seed), \(name) at \(end)")
                #expect(rooms.map { UInt64($0.unread.count) } == counts.rooms.map(\.count), "seed \(seed), \(end)")
                #expect(report.comparison == nil)
                count += report.directCount + report.roomCount
            }
        }
        #expect(count > 100)
        for name in names.keys.sorted() {
            #expect(try await sample.unread(.init(account: name)).comparison == .compared(at: sample.log().head, []))
        }
    }

    private static func event(_ people: SamplePeople, _ random: inout SplitMix64) -> SampleEvent {
        let accounts = [people.alice, people.bob, people.guest]
        let me = accounts[Int.random(in: 0..<3, using: &random)]
        let peer = accounts[Int.random(in: 0..<3, using: &random)]
        let place = Offset.random(in: 1...80, using: &random)
        switch Int.random(in: 0..<16, using: &random) {
        case 0..<5: return .sent(me, to: peer)
        case 5..<8: return .sent(me, room: people.room)
        case 8: return .read(place, by: me, from: peer)
        case 9: return .read(place, by: me, room: people.room)
        case 10: return .deleted(place, by: me, to: peer)
        case 11: return .deleted(place, by: me, room: people.room)
        case 12..<15: return .joined(me, people.room)
        default: return .left(me, people.room)
        }
    }
}
