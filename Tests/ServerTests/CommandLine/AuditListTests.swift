import Broker
import Foundation
import Testing

@testable import Server

struct AuditListTests {
    private static let all = Array(1...SampleFolder.head)

    struct Case: Sendable, CustomTestStringConvertible {
        var query = AuditQuery()
        var user: String?
        var peer: String?
        var room: String?
        var offsets: [Offset]
        var testDescription: String { "\(user ?? "") \(peer ?? "") \(room ?? "") \(query) gives \(offsets)" }
    }

    private static let cases: [Case] = [
        Case(offsets: all),
        Case(query: .init(after: 13), offsets: [14, 15]),
        Case(query: .init(after: 15), offsets: []),
        Case(query: .init(after: 3, limit: 2), offsets: [4, 5]),
        Case(query: .init(types: [.messageSent]), offsets: [4, 5, 9, 15]),
        Case(query: .init(types: [.messageSent, .guestSeen], after: 3, limit: 3), offsets: [4, 5, 9]),
        Case(query: .init(since: SampleFolder.start + 5000, until: SampleFolder.start + 6000), offsets: [6, 7, 8]),
        Case(query: .init(since: SampleFolder.start + 4001, until: SampleFolder.start + 6001), offsets: [6, 7, 8, 9]),
        Case(query: .init(since: SampleFolder.start + 60_000), offsets: []),
        Case(query: .init(until: SampleFolder.start), offsets: []),
        Case(query: .init(since: 0, until: .max), offsets: all),
        Case(user: "alice", offsets: [1, 4, 5, 6, 7, 8, 9, 13, 14, 15]),
        Case(user: "bob", offsets: [2, 4, 5, 8, 10, 11, 12, 14]),
        Case(user: "alice", peer: "bob", offsets: [4, 5]),
        Case(user: "bob", peer: "alice", offsets: [4, 5]),
        Case(user: "alice", peer: "alice", offsets: []),
        Case(user: SampleFolder.guest, offsets: [3, 15]),
        Case(room: SampleFolder.roomName, offsets: [6, 7, 8, 9, 10, 13, 14]),
        Case(user: "bob", room: "01234567-89ab-4def-8123-456789abcdef", offsets: [8, 10, 14]),
        Case(query: .init(types: [.memberAdded]), user: "bob", room: SampleFolder.roomName, offsets: [8]),
    ]

    @Test(arguments: cases)
    func `the right events are listed`(row: Case) async throws {
        let sample = try await SampleFolder()
        #expect(try list(row, .json, sample).map { $0["offset"] as? UInt64 } == row.offsets.map { Optional($0) })
    }

    @Test func `names are right wherever the listing begins, with the views and without them`() async throws {
        let sample = try await SampleFolder()
        let whole = try list(Case(offsets: []), .json, sample)
        for withoutViews in [false, true] {
            if withoutViews { try FileManager.default.removeItem(atPath: sample.folder.views) }
            for first in 1...Int(SampleFolder.head) {
                let part = try list(Case(query: .init(after: Offset(first - 1)), offsets: []), .json, sample)
                #expect(NSArray(array: part) == NSArray(array: Array(whole[(first - 1)...])))
            }
        }
    }

    @Test(arguments: ["zed", "ali", "", "a/b", "Server", "e\u{301}"])
    func `an unknown account is an error of the asker's`(name: String) async throws {
        let log = try await SampleFolder().log()
        for (user, peer) in [(name, nil), ("alice", name)] as [(String?, String?)] {
            let failure = #expect(throws: CommandFailure.self) {
                var query = AuditQuery()
                try query.resolve(user: user, peer: peer, room: nil, in: log)
            }
            #expect(failure?.status == .usage)
        }
    }

    @Test(arguments: ["", "general", "01234567-89ab-4def-8123-456789abcdee"])
    func `an unknown room is an error of the asker's`(name: String) async throws {
        let log = try await SampleFolder().log()
        let failure = #expect(throws: CommandFailure.self) {
            var query = AuditQuery()
            try query.resolve(user: nil, peer: nil, room: name, in: log)
        }
        #expect(failure == CommandFailure("there is no room \(name.shownAsJSON) in this log", status: .usage))
    }

    @Test(arguments: AuditFormat.allCases)
    func `no format shows a password's hash`(format: AuditFormat) async throws {
        let sample = try await SampleFolder()
        let text = try print(AuditQuery(), format, sample)
        #expect(!text.contains("$2b$"))
        #expect(!text.contains("secret"))
    }

    @Test func `the table says who did what, a line an event`() async throws {
        let sample = try await SampleFolder()
        let lines = try print(AuditQuery(), .table, sample).split(separator: "\n").map(String.init)
        let room = "in general, \"all\" (01234567-89ab-4def-8123-456789abcdef)"
        #expect(
            lines.map { String($0.drop { $0 == " " }) } == [
                "OFFSET  TIME                      TYPE             WHO               WHAT",
                "1  2026-01-01T00:00:00.000Z  UserRegistered   alice             as ALICE <alice@example.org>",
                "2  2026-01-01T00:00:01.000Z  UserRegistered   bob               as BOB <bob@example.org>",
                "3  2026-01-01T00:00:02.000Z  GuestSeen        客-é              for the first time",
                "4  2026-01-01T00:00:03.000Z  MessageSent      alice             to bob: "
                    + "hello, \"bob\"\\r\\n\\u{1B}[31mred\\u{202E} \\\\o/",
                "5  2026-01-01T00:00:04.000Z  MessageSent      bob               to alice: 你好",
                "6  2026-01-01T00:00:05.000Z  RoomCreated      alice             \(room)",
                "7  2026-01-01T00:00:05.000Z  MemberAdded      alice             alice \(room)",
                "8  2026-01-01T00:00:05.000Z  MemberAdded      alice             bob \(room)",
                "9  2026-01-01T00:00:06.000Z  MessageSent      alice             \(room): to all",
                "10  2026-01-01T00:00:07.000Z  MessagesRead     bob               \(room) up to 9",
                "11  2026-01-01T00:00:08.000Z  UserLoggedIn     bob               from [2001:db8::7]:5000",
                "12  2026-01-01T00:00:09.000Z  LoginFailed      bob               from 192.0.2.7",
                "13  2026-01-01T00:00:10.000Z  MemberRemoved    alice             alice \(room)",
                "14  2026-01-01T00:00:10.000Z  OwnerChanged     alice             bob \(room)",
                "15  2026-01-01T00:00:11.000Z  MessageSent      客-é              to alice: from a guest",
            ]
        )
    }

    @Test func `a line of JSON holds all that the log says`() async throws {
        let sample = try await SampleFolder()
        let rows = try list(Case(offsets: []), .json, sample)
        #expect(rows[3]["content"] as? String == SampleFolder.rudeText)
        #expect(rows[3]["actor"] as? String == "alice")
        #expect(rows[3]["to"] as? String == "bob")
        #expect(rows[3]["revision"] as? Int == 1)
        #expect(rows[3]["redacted"] as? Bool == false)
        #expect(rows[3]["stream"] as? String == rows[4]["stream"] as? String)
        #expect(rows[4]["revision"] as? Int == 2)
        #expect(rows[8]["room"] as? String == sample.room.uuidText)
        #expect(rows[8]["room_name"] as? String == SampleFolder.roomName)
        #expect(rows[9]["reference"] as? Int == 9)
        #expect(rows[10]["address"] as? String == "2001:db8::7")
        #expect(rows[10]["port"] as? Int == 5000)
        #expect(rows[10]["version"] as? Int == 2)
        #expect(rows[13]["member"] as? String == "bob")
        #expect(rows[14]["id"] as? String == "m-1")
        #expect(rows[0]["email"] as? String == "alice@example.org")
    }

    @Test func `the fields of CSV come back as they were`() async throws {
        let sample = try await SampleFolder()
        let rows = CSV.parse(try print(AuditQuery(), .csv, sample))
        #expect(rows.count == Int(SampleFolder.head) + 1)
        #expect(rows[0] == AuditCSV.columns)
        #expect(rows.allSatisfy { $0.count == AuditCSV.columns.count })
        let content = try #require(AuditCSV.columns.firstIndex(of: "content"))
        #expect(Array(rows[4][content].utf8) == Array(SampleFolder.rudeText.utf8))
        let room = try #require(AuditCSV.columns.firstIndex(of: "room_name"))
        #expect(rows[9][room] == SampleFolder.roomName)
    }

    @Test func `a reader that has enough is no failure`() async throws {
        let pipe = Pipe()
        try pipe.fileHandleForReading.close()
        var output = StandardOutput(file: pipe.fileHandleForWriting)
        try output.line("nobody reads this")
        #expect(throws: StandardOutput.Closed.self) { try output.flush() }
    }

    @Test func `without a log the folder is asked for`() async throws {
        let folder = DataFolder(NSTemporaryDirectory() + "quipu-nothing-" + UUID().uuidString)
        let failure = #expect(throws: CommandFailure.self) { try folder.requireLog() }
        #expect(failure?.status == .usage)
        #expect(failure?.message.contains("--data") == true)
    }

    // MARK: Helpers

    private func print(_ query: AuditQuery, _ format: AuditFormat, _ sample: SampleFolder) throws -> String {
        try printed { output in
            let listing = AuditListing(folder: sample.folder, log: try sample.log(), query: query)
            try listing.write(format, to: &output)
        }
    }

    private func list(_ row: Case, _ format: AuditFormat, _ sample: SampleFolder) throws -> [[String: Any]] {
        var query = row.query
        do {
            let log = try sample.log()
            try query.resolve(user: row.user, peer: row.peer, room: row.room, in: log)
        }
        return try print(query, format, sample).split(separator: "\n").map { line in
            try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        }
    }
}

/// RFC 4180, read character by character.
private enum CSV {
    static func parse(_ text: String) -> [[String]] {
        var rows: [[String]] = []
        var row: [String] = []
        var field: [UInt8] = []
        var isQuoted = false
        var bytes = Array(text.utf8)[...]
        func take(_ fields: inout [String]) { fields.append(String(decoding: field, as: UTF8.self)) }
        while let byte = bytes.popFirst() {
            switch byte {
            case UInt8(ascii: "\"") where isQuoted && bytes.first == UInt8(ascii: "\""):
                field.append(byte)
                bytes.removeFirst()
            case UInt8(ascii: "\""): isQuoted.toggle()
            case _ where isQuoted: field.append(byte)
            case UInt8(ascii: ","):
                take(&row)
                field = []
            case UInt8(ascii: "\r"):
                bytes.removeFirst()
                take(&row)
                rows.append(row)
                (row, field) = ([], [])
            default: field.append(byte)
            }
        }
        return rows
    }
}
