import Broker
import Foundation
import Projections
import Testing

@testable import Server

/// `quipu audit unread`: the comparison with the view, and what may be asked for.
struct AuditUnreadTests {
    // MARK: The view

    @Test func `a view that says something else is found out, and where`() async throws {
        let sample = try await SampleFolder()
        let people = try SamplePeople(sample)
        try sample.append([.joined(people.alice, people.room), .sent(people.bob, room: people.room)])
        try await sample.project()
        #expect(try await !sample.unread(.init(account: "alice")).isFailure)
        // As if alice had read all that bob wrote, and nothing in the room since long ago.
        try sample.changeMark(of: people.alice, in: .conversation(people.alice, people.bob), to: 2)
        try sample.changeMark(of: people.alice, in: people.room, to: 0)
        let report = try await sample.unread(.init(account: "alice"))
        #expect(report.isFailure)
        let bob = UnreadDifference(party: .init(id: people.bob, name: "bob"), isRoom: false, log: 1, view: 0)
        guard case .compared(17, let differences) = report.comparison else {
            Issue.record("\(String(describing: report.comparison))")
            return
        }
        #expect(differences.count == 2)
        #expect(differences.first == bob)
        #expect(differences.last?.party == .init(id: people.room, name: SampleFolder.roomName))
        #expect(differences.last?.log == 1)
        #expect(
            Array(try report.table().suffix(3)) == [
                "as of offset 17, 2026-01-01T00:00:13.000Z: the view differs",
                "  direct bob: the log says 1, the view 0",
                "  room general, \"all\" (01234567-89ab-4def-8123-456789abcdef): the log says 1, the view 2",
            ]
        )
        let view = try #require(try report.object()["view"] as? [String: Any])
        #expect(view["agrees"] as? Bool == false)
        #expect((view["differences"] as? [[String: Any]])?.map { $0["send_id"] as? String } == ["bob", nil])
        // Only what was asked for is compared.
        #expect(try await sample.unread(.init(account: "alice", peer: "bob")).comparison == .compared(at: 17, [bob]))
        #expect(try await !sample.unread(.init(account: "alice", peer: SampleFolder.guest)).isFailure)
        #expect(try await sample.unread(.init(account: "alice", room: SampleFolder.roomName)).isFailure)
        #expect(try await !sample.unread(.init(account: "bob")).isFailure)
        #expect(try await !sample.unread(.init(account: "alice", asOf: .offset(17))).isFailure)
    }

    @Test func `a view that is behind is compared where it is`() async throws {
        let sample = try await SampleFolder()
        let people = try SamplePeople(sample)
        try sample.append([.sent(people.bob, to: people.alice), .joined(people.alice, people.room)])
        // Somebody has the folder, so the view is waited for a while; then nobody has.
        for isServed in [true, false] {
            let lock = isServed ? try DataFolderLock(sample.folder, command: "quipu serve") : nil
            defer { lock?.release() }
            let report = try await sample.unread(.init(account: "alice"), patience: .milliseconds(60))
            #expect(report.asOf == 17)
            #expect(report.rows.map(\.unread) == [[5, 16], [15]])
            #expect(report.comparison == .compared(at: 15, []))
            #expect(!report.isFailure)
            #expect(
                try report.table().last == "as of offset 17, 2026-01-01T00:00:13.000Z: "
                    + "the view is 2 events behind, and agrees at offset 15"
            )
            #expect((try report.object()["view"] as? [String: Any])?["behind"] as? Int == 2)
        }
        try sample.changeMark(of: people.alice, in: .conversation(people.alice, people.bob), to: 2)
        let report = try await sample.unread(.init(account: "alice"))
        #expect(report.isFailure)
        #expect(try report.table().suffix(2).first?.contains("and differs at offset 15") == true)
    }

    @Test func `without a view of this log nothing is compared`() async throws {
        let sample = try await SampleFolder()
        let directory = ViewFolder(data: sample.folder.path).directory(of: UnreadProjection.self)
        let other = try await SampleFolder()
        try FileManager.default.removeItem(atPath: directory)
        let absent = try await sample.unread(.init(account: "alice"))
        #expect(absent.comparison == .absent("there is no view unread of this version"))
        #expect(absent.rows.map(\.unread) == [[5], [15]])
        #expect(!absent.isFailure)
        #expect(try absent.table().last?.contains(": not compared, there is no view") == true)
        #expect((try absent.object()["view"] as? [String: Any])?["agrees"] is NSNull)
        try FileManager.default.copyItem(
            atPath: ViewFolder(data: other.folder.path).directory(of: UnreadProjection.self),
            toPath: directory
        )
        let foreign = try await sample.unread(.init(account: "alice"))
        #expect(foreign.comparison == .absent("the view unread was not made from this log"))
        try FileManager.default.removeItem(atPath: directory + "/lock.mdb")
        try Data(repeating: 7, count: 10_000).write(to: URL(fileURLWithPath: directory + "/data.mdb"))
        let broken = try await sample.unread(.init(account: "alice"))
        guard case .unreadable = broken.comparison else {
            Issue.record("\(String(describing: broken.comparison))")
            return
        }
        #expect(broken.rows.map(\.unread) == [[5], [15]])
        #expect(broken.isFailure)
    }

    // MARK: What is asked for

    @Test func `one conversation or room is shown although nothing is unread`() async throws {
        let sample = try await SampleFolder()
        let id = sample.room.uuidText
        for (question, isRoom, mark) in [
            (.init(account: "bob", peer: SampleFolder.guest), false, 0), (.init(account: "bob", peer: "bob"), false, 0),
            (.init(account: SampleFolder.guest, peer: "alice"), false, 0),
            (.init(account: "bob", room: SampleFolder.roomName), true, 9), (.init(account: "bob", room: id), true, 9),
            (.init(account: "alice", room: id, asOf: .offset(12)), true, 0),
        ] as [(UnreadAudit.Question, Bool, Offset)] {
            let report = try await sample.unread(question)
            #expect(report.rows.map(\.isRoom) == [isRoom])
            #expect(report.rows.map(\.mark) == [mark])
            #expect(report.rows.map(\.unread) == [[]])
            #expect(!report.isWhole)
            #expect(try !report.table().contains { $0.hasPrefix("total") })
        }
    }

    @Test func `a place in the past is an offset or a time`() async throws {
        let sample = try await SampleFolder()
        for (asOf, offset, unread) in [
            (.offset(4), 4, []), (.offset(5), 5, [[5]]), (.time(SampleFolder.start + 4999), 5, [[5]]),
            (.time(SampleFolder.start + 3999), 4, []), (.time(.max), 15, [[5], [15]]),
        ] as [(OffsetOrTime, Offset, [[Offset]])] {
            let report = try await sample.unread(.init(account: "alice", asOf: asOf))
            #expect(report.asOf == offset)
            #expect(report.rows.map(\.unread) == unread)
            #expect(report.comparison == nil && !report.isFailure)
        }
    }

    private static let wrong: [(UnreadAudit.Question, String)] = [
        (.init(account: "zed"), "there is no account \"zed\" in this log"),
        (.init(account: "a/b"), "is no account"), (.init(account: ""), "is no account"),
        (.init(account: "alice", peer: "zed"), "there is no account \"zed\" in this log"),
        (.init(account: "alice", peer: ""), "is no account"),
        (.init(account: "alice", room: "kitchen"), "there is no room \"kitchen\" in this log"),
        (.init(account: "alice", room: "01234567-89ab-4def-8123-456789abcdee"), "there is no room"),
        (.init(account: "alice", room: SampleFolder.roomName), "\"alice\" is not in the room \"general,"),
        (.init(account: SampleFolder.guest, room: SampleFolder.roomName), "is not in the room"),
        (.init(account: "bob", asOf: .offset(16)), "there is no offset 16 in this log: its last is 15"),
        (.init(account: "bob", asOf: .offset(1)), "there is no account \"bob\" up to offset 1"),
        (.init(account: "bob", asOf: .offset(0)), "there is no account \"bob\" up to offset 0"),
        (.init(account: "bob", asOf: .time(0)), "there is no account \"bob\" up to offset 0"),
        (.init(account: "alice", peer: "bob", asOf: .offset(1)), "there is no account \"bob\" up to offset 1"),
        (.init(account: "bob", room: SampleFolder.roomName, asOf: .offset(5)), "up to offset 5"),
        (.init(account: "bob", room: SampleFolder.roomName, asOf: .offset(7)), ", as of offset 7"),
    ]

    @Test(arguments: wrong.indices)
    func `what isn't there is an error of the asker's`(index: Int) async throws {
        let sample = try await SampleFolder()
        let (question, sentence) = Self.wrong[index]
        let failure = await #expect(throws: CommandFailure.self) { _ = try await sample.unread(question) }
        #expect(failure?.status == .usage)
        #expect(failure?.message.contains(sentence) == true, "\(failure?.message ?? "")")
    }

    @Test func `of rooms with one name it is the one that the account is in`() async throws {
        let sample = try await SampleFolder()
        let people = try SamplePeople(sample)
        let again: SampleEvent = .made(people.other, SampleFolder.roomName, by: people.alice)
        try sample.append([again, .joined(people.alice, people.other)])
        for (account, room) in [("alice", people.other), ("bob", people.room)] {
            let report = try await sample.unread(.init(account: account, room: SampleFolder.roomName))
            #expect(report.rows.map(\.party.id) == [room])
        }
        try sample.append([.joined(people.bob, people.other)])
        let failure = await #expect(throws: CommandFailure.self) {
            _ = try await sample.unread(.init(account: "bob", room: SampleFolder.roomName))
        }
        #expect(failure?.status == .usage)
        #expect(failure?.message.contains(people.other.uuidText) == true)
        let report = try await sample.unread(.init(account: "bob", room: people.other.uuidText))
        #expect(report.rows.map(\.party.id) == [people.other])
    }

    @Test func `whoever has waited long enough ends it`() async throws {
        let sample = try await SampleFolder()
        let people = try SamplePeople(sample)
        try sample.append(Array(repeating: .sent(people.bob, to: people.alice), count: 5000))
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            return try await sample.unread(.init(account: "alice"))
        }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }
}
