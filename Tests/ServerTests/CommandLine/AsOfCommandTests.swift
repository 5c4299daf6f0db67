import ArgumentParser
import Broker
import Foundation
import Testing

@testable import Server

/// `quipu audit as-of`: its options, and which moments there are.
struct AsOfCommandTests {
    @Test(arguments: [
        "as-of", "as-of tomorrow history a b", "as-of -1 history a b", "as-of history a b", "as-of 5 then a b",
        "as-of 5 history", "as-of 5 history a", "as-of 5 history a b c", "as-of 5 history a b --room c",
        "as-of 5 history a b --limit 0", "as-of 5 history a b --limit x", "as-of 5 history a b --format json",
        "as-of 5 unread", "as-of 5 unread a --peer b --room c", "as-of 5 unread a --as-of 3", "as-of 5 members",
        "as-of 5 members a b", "as-of 5 members a --limit 3",
    ])
    func `what makes no sense ends with 2`(line: String) {
        #expect(Self.ending(of: line)?.status == .usage)
    }

    @Test(arguments: ["as-of", "as-of 5", "as-of 5 history", "as-of 5 unread", "as-of 5 members", "as-of history"])
    func `its help has examples that fit a terminal`(line: String) throws {
        let help = try #require(Self.ending(of: line + " --help"))
        #expect(help.status == .success)
        let examples = help.text.split(separator: "\n").filter { $0.hasPrefix("  quipu audit as-of ") }
        #expect(examples.count >= 2)
        #expect(examples.allSatisfy { $0.count <= 80 })
    }

    @Test func `a moment alone asks for nothing`() async throws {
        let command = try #require(try AuditCommand.parseAsRoot(["as-of", "5"]) as? AuditAsOfCommand)
        let failure = await #expect(throws: CommandFailure.self) { try await command.run() }
        #expect(failure?.status == .usage)
    }

    @Test func `the moment comes first, whatever accounts are called`() throws {
        let line = ["as-of", "2026-01-01", "history", "history", "unread", "--limit", "3", "--json"]
        let history = try #require(try AuditCommand.parseAsRoot(line) as? AsOfHistoryCommand)
        #expect(history.asOf.moment == "2026-01-01")
        #expect([history.account, history.peer] == ["history", "unread"])
        #expect(history.limit == 3 && history.json)
        let options = ["--peer", "b", "--all", "--data", "d"]
        let unread = try #require(
            try AuditCommand.parseAsRoot(["as-of", "7", "unread", "a"] + options) as? AsOfUnreadCommand
        )
        #expect(unread.asOf.moment == "7")
        #expect(unread.question.account == "a" && unread.question.peer == "b" && unread.question.all)
        #expect(unread.location.data == "d")
        let members = try #require(try AuditCommand.parseAsRoot(["as-of", "7", "members", "r"]) as? AsOfMembersCommand)
        #expect(members.room == "r")
    }

    private static let start = SampleFolder.start

    @Test(
        arguments: [
            (.offset(1), 0, 1), (.offset(15), 0, 15), (.time(start), 0, 1), (.time(start + 1999), 0, 2),
            // The room and its members came in one commit.
            (.time(start + 5000), 0, 8), (.time(start + 11_000), 0, 15),
            // Later than the log's last event, but past: nothing has happened since.
            (.time(start + 20_000), start + 20_000, 15), (.time(start + 20_000), .max, 15),
        ] as [(OffsetOrTime, UInt64, Offset)]
    )
    func `a moment is the last event before it`(moment: OffsetOrTime, now: UInt64, end: Offset) async throws {
        let log = try await SampleFolder().log()
        #expect(try AuditAsOfCommand.end(of: moment, in: log, now: now) == end)
    }

    @Test(
        arguments: [
            (.offset(16), "there is no offset 16 in this log: its last is 15"),
            (.offset(0), "nothing had happened yet: the log begins at 2026-01-01T00:00:00.000Z"),
            (.time(start - 1), "nothing had happened yet"), (.time(0), "nothing had happened yet"),
            (.time(start + 20_001), "2026-01-01T00:00:20.001Z is still to come"), (.time(.max), "is still to come"),
        ] as [(OffsetOrTime, String)]
    )
    func `a moment that the log doesn't know is refused`(moment: OffsetOrTime, sentence: String) async throws {
        let log = try await SampleFolder().log()
        let failure = #expect(throws: CommandFailure.self) {
            try AuditAsOfCommand.end(of: moment, in: log, now: Self.start + 20_000)
        }
        #expect(failure?.status == .usage)
        #expect(failure?.message.contains(sentence) == true, "\(failure?.message ?? "")")
    }

    @Test func `in an empty log nothing has happened`() throws {
        let directory = NSTemporaryDirectory() + "quipu-empty-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let log = try EventLog(directory: directory, mapBytes: 1 << 24)
        for moment in [OffsetOrTime.offset(0), .time(5)] {
            let failure = #expect(throws: CommandFailure.self) {
                try AuditAsOfCommand.end(of: moment, in: log, now: 10)
            }
            #expect(failure == CommandFailure("nothing had happened yet: the log is empty", status: .usage))
        }
    }

    @Test func `whoever has waited long enough ends it`() async throws {
        let sample = try await SampleFolder()
        let people = try SamplePeople(sample)
        try sample.append(Array(repeating: .sent(people.bob, to: people.alice), count: 5000))
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            return try sample.history(.init(account: "alice", peer: "bob", end: 5000))
        }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    /// What the parser, or else the command, says of a command line that must not run.
    private static func ending(of line: String) -> (text: String, status: CommandFailure.Status)? {
        let error = #expect(throws: (any Error).self) {
            var command = try AuditCommand.parseAsRoot(line.split(separator: " ").map(String.init))
            try command.run()
        }
        return error.map { CommandLineEntry.ending(for: $0, root: AuditCommand.self) }
    }
}
