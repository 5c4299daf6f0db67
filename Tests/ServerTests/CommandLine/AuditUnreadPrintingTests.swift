import ArgumentParser
import Broker
import Foundation
import Testing

@testable import Server

/// `quipu audit unread`: its options, and what it prints.
struct AuditUnreadPrintingTests {
    @Test(arguments: [
        "audit unread", "audit unread a b", "audit unread a --peer b --room c", "audit unread a --as-of tomorrow",
        "audit unread a --as-of -1", "audit unread a --as-of", "audit unread a --format json",
    ])
    func `what makes no sense ends with 2`(line: String) {
        #expect(Self.ending(of: line)?.status == .usage)
    }

    @Test func `its help has examples that fit a terminal`() throws {
        let help = try #require(Self.ending(of: "audit unread --help"))
        #expect(help.status == .success)
        let examples = help.text.split(separator: "\n").filter { $0.hasPrefix("  quipu audit unread") }
        #expect(examples.count >= 3)
        #expect(examples.allSatisfy { $0.count <= 80 })
    }

    @Test func `the table says who, up to where, how many and which`() async throws {
        let sample = try await SampleFolder()
        let people = try SamplePeople(sample)
        let more = Array(repeating: SampleEvent.sent(people.bob, room: people.room), count: 3)
        try sample.append([.joined(people.alice, people.room)] + more + [.sent(people.bob, to: people.alice)])
        try await sample.project()
        #expect(
            try await sample.unread(.init(account: "alice")).table() == [
                "TYPE    WITH                                                   READ UP TO  UNREAD  OFFSETS",
                "direct  bob                                                             0       2  5, 20",
                "direct  客-é                                                            0       1  15",
                "room    general, \"all\" (01234567-89ab-4def-8123-456789abcdef)   joined 16       3  17–19",
                "total   direct messages                                                         3",
                "total   rooms                                                                   3",
                "as of offset 20, 2026-01-01T00:00:16.000Z: the view agrees",
            ]
        )
        #expect(
            try await sample.unread(.init(account: SampleFolder.guest, asOf: .offset(3))).table() == [
                "TYPE   WITH             READ UP TO  UNREAD  OFFSETS",
                "total  direct messages                   0", "total  rooms                             0",
                "as of offset 3, 2026-01-01T00:00:02.000Z",
            ]
        )
    }

    @Test func `the JSON has what type 4 has, and all offsets`() async throws {
        let sample = try await SampleFolder()
        let people = try SamplePeople(sample)
        try sample.append((0..<150).map { .sent($0 % 2 == 0 ? people.bob : people.guest, to: people.alice) })
        try await sample.project()
        let report = try await sample.unread(.init(account: "alice"))
        let object = try report.object()
        #expect(object["as_of"] as? Int == 165)
        #expect(object["total_counts"] as? Int == 152)
        #expect(object["total_room_counts"] as? Int == 0)
        #expect((object["room_counts"] as? [Any])?.isEmpty == true)
        let rows = try #require(object["unread_counts"] as? [[String: Any]])
        #expect(rows.map { $0["send_id"] as? String } == ["bob", SampleFolder.guest])
        #expect(rows.map { $0["unread_count"] as? Int } == [76, 76])
        #expect(rows[0]["offsets"] as? [Int] == [5] + stride(from: 16, to: 166, by: 2))
        #expect((object["view"] as? [String: Any])?["agrees"] as? Bool == true)
        let lines = try report.table()
        #expect(lines[1].contains(" 112, … and 26 more"))
        #expect(try !report.table(mostRanges: nil)[1].contains("more"))
        let past = try await sample.unread(.init(account: "alice", peer: "bob", asOf: .offset(16))).object()
        #expect(past["view"] is NSNull)
        #expect(past["total_counts"] == nil)
    }

    @Test func `no message is shown, and no name moves the cursor`() async throws {
        let sample = try await SampleFolder()
        let people = try SamplePeople(sample)
        let rude = SampleEvent.made(people.other, "\u{1B}[31m\u{9B}x", by: people.bob)
        try sample.append(
            [rude, .joined(people.bob, people.other), .joined(people.alice, people.other)]
                + [.sent(people.alice, room: people.other), .sent(people.bob, room: people.other)]
        )
        try await sample.project()
        for account in ["alice", "bob"] {
            let report = try await sample.unread(.init(account: account))
            #expect(report.rows.contains { $0.party.id == people.other })
            for text in [try report.table().joined(separator: "\n"), String(decoding: report.json, as: UTF8.self)] {
                #expect(!text.contains("secret words") && !text.contains("hello") && !text.contains("你好"))
                #expect(text.unicodeScalars.allSatisfy { $0 == "\n" || $0.properties.generalCategory != .control })
            }
        }
    }

    @Test(
        arguments: [
            ([], nil, ""), ([7], nil, "7"), ([7, 8], nil, "7–8"), ([1, 2, 3, 5, 7, 8], nil, "1–3, 5, 7–8"),
            ([1, 2, 3, 5, 7, 8], 3, "1–3, 5, 7–8"), ([1, 2, 3, 5, 7, 8], 2, "1–3, 5, … and 2 more"),
            ([1, 3, 5], 1, "1, … and 2 more"), (Array(1...2000).map { 2 * $0 }, 1, "2, … and 1,999 more"),
        ] as [([Offset], Int?, String)]
    )
    func `neighbours are shown together`(offsets: [Offset], most: Int?, text: String) {
        #expect(OffsetRanges.text(offsets, most: most) == text)
    }

    /// What the parser, or else the command, says of a command line that must not run.
    private static func ending(of line: String) -> (text: String, status: CommandFailure.Status)? {
        let words = line.split(separator: " ").dropFirst().map(String.init)
        let error = #expect(throws: (any Error).self) {
            var command = try AuditCommand.parseAsRoot(words)
            try command.run()
        }
        return error.map { CommandLineEntry.ending(for: $0, root: AuditCommand.self) }
    }
}
