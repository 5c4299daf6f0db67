import Foundation
import LMDB
import Testing

@testable import Broker
@testable import Projections

/// What is redacted is in the files of no view after they were built anew, whether a server runs or not.
struct ExpungeTests {
    private let alice = Identifier(high: 1, low: 1)
    private let bob = Identifier(high: 1, low: 2)
    private let room = Identifier(high: 2, low: 1)
    private let secret = "s3cr3t-MARKER"

    /// Messages of all sizes, an account, a room, and much between that is not redacted.
    private func fill(_ test: TestLog) throws {
        try test.append([
            .registered(alice, secret), .guest(bob, "bob"), .roomCreated(room, secret, by: bob),
            .member(.memberAdded, bob, of: room, by: bob),
        ])
        for index in 0..<120 {
            let long = String(repeating: secret, count: index % 8 == 0 ? 250 : 1)
            try test.append([.sent(long, from: alice, to: bob, id: "id \(index)")])
            try test.append([.sent(String(repeating: "x", count: 40 * index), from: bob, inRoom: room)])
        }
        try test.append([.edited(5, to: "edited " + secret, by: alice, in: .conversation(alice, bob))])
    }

    private func redact(_ test: TestLog) throws {
        try test.append([.erased(alice)])
        for (index, event) in test.events.enumerated() {
            let isSecret = event.actor == alice || event.type == .roomCreated
            guard isSecret, event.type != .userErased else { continue }
            try test.append([.redacted(Offset(index) + 1, event)])
        }
    }

    @Test func `beside the server, while it is read`() async throws {
        let test = try TestLog()
        let views = try test.openViews()
        try views.start()
        try fill(test)
        test.announce(to: views)
        try await views.settle(at: test.log.head)
        try redact(test)
        test.announce(to: views)
        try await views.settle(at: test.log.head)
        let before = try views.digests()
        for name in ["users", "rooms", "conversations"] { #expect(try count(in: test.data, view: name) > 0, "\(name)") }
        #expect(try count(in: test.data, view: "unread") == 0)

        // What an older and a newer version have left goes as well; other things are none of its business.
        let files = FileManager.default
        for name in ["users-v1", "conversations-v99", "conversations-v99.retired-3", "notes-v1"] {
            try files.createDirectory(atPath: test.data + "/views/" + name, withIntermediateDirectories: true)
            try Data((name == "notes-v1" ? "" : secret).utf8).write(to: URL(filePath: test.data + "/views/\(name)/x"))
        }
        try views.expunge()
        #expect(try count(in: test.data, view: "") == 0)
        try files.removeItem(atPath: test.data + "/views/notes-v1")
        #expect(try FileManager.default.contentsOfDirectory(atPath: test.data + "/views").count == 4)
        #expect(try views.digests() == before)
        #expect(try views.conversations.isDeleted(5, in: .conversation(alice, bob)).asOf == test.log.head)
        for projection in Views.projections {
            #expect(try views.verify(projection, scratch: test.folder("scratch")).isIdentical)
        }
        views.stop()
    }

    @Test func `without a server`() async throws {
        let test = try TestLog()
        try fill(test)
        let folder = test.viewFolder()
        for projection in Views.projections { _ = try Rebuild.replace(projection, in: folder, from: test.log) }
        try redact(test)
        for projection in Views.projectionsWithTexts {
            #expect(try count(in: test.data, view: projection.name) > 0)
            _ = try Rebuild.replace(projection, in: folder, from: test.log)
        }
        #expect(try count(in: test.data, view: "") == 0)
    }

    @Test func `a view that is being rebuilt already is said so, and the others are done`() async throws {
        let test = try TestLog()
        try fill(test)
        let views = try test.openViews()
        try views.start()
        try await views.settle(at: test.log.head)
        try redact(test)
        #expect(throws: Rebuild.InProgress.self) {
            try views.rebuild(UsersProjection.self) { _ in try views.expunge() }
        }
        #expect(try count(in: test.data, view: "conversations") == 0)
        #expect(try count(in: test.data, view: "rooms") == 0)
        try views.expunge()
        #expect(try count(in: test.data, view: "") == 0)
        views.stop()
    }

    private func count(in data: String, view: String) throws -> Int {
        var count = 0
        for file in try FileManager.default.subpathsOfDirectory(atPath: data + "/views") where file.hasPrefix(view) {
            guard let bytes = FileManager.default.contents(atPath: "\(data)/views/\(file)") else { continue }
            var rest = bytes.startIndex..<bytes.endIndex
            while let found = bytes.range(of: Data(secret.utf8), in: rest) {
                count += 1
                rest = found.upperBound..<bytes.endIndex
            }
        }
        return count
    }
}
