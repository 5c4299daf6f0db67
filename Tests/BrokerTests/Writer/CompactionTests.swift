import Cryptography
import Foundation
import LMDB
import Synchronization
import Testing

@testable import Broker

/// After a compaction what was erased is in no file, and all else is as it was.
@Suite struct CompactionTests {
    private static let alice = Sample.id(1)
    private static let bob = Sample.id(2)
    private static let secret = "s3cr3t-MARKER"

    private final class Run: Sendable {
        let isOver = Atomic(false)
    }

    @Test func `erased bytes are in the file before a compaction and nowhere after it`() async throws {
        try await withLog { path, broker in
            let log = broker.log
            // Small ones, and some that fill pages of their own.
            for index in 0..<300 {
                let filler = String(repeating: Self.secret, count: index % 10 == 0 ? 200 + index : 1)
                _ = await broker.execute(.send("\(index) \(filler)", from: Self.alice, to: Self.bob, id: "\(index)"))
                _ = await broker.execute(
                    .send(String(repeating: "x", count: 10 * index), from: Self.bob, to: Self.alice)
                )
            }
            let edit = Command.edit(1, "edited " + Self.secret, by: Self.alice, peer: Self.bob)
            #expect(await broker.execute(edit) == .stored(last: 601))
            let leaves = try leaves(of: log)
            let (size, root) = try log.withTree { try ($0.size, $0.head().root) }
            for offset in stride(from: 1 as Offset, through: 599, by: 2) {
                let erasure = try await broker.redact(offset, reason: "r", by: .none)
                #expect(erasure.redacted == (offset == 1 ? 2 : 1))
            }
            #expect(try count(of: Self.secret, under: path) > 0)
            try await broker.compactLog()
            #expect(try count(of: Self.secret, under: path) == 0)
            #expect(try FileManager.default.contentsOfDirectory(atPath: path) == ["log"])

            #expect(try Array(self.leaves(of: log).prefix(601)) == leaves)
            #expect(try log.withTree { try $0.head(at: size).root } == root)
            #expect(log.head == 902)
            #expect(
                try log.messages().map(\.content.count).prefix(600).reduce(0, +) == (0..<300).reduce(0) { $0 + 10 * $1 }
            )
            #expect(await broker.execute(.send("on", from: Self.alice, to: Self.bob)) == .stored(last: 903))
            try await broker.compactLog()
            #expect(await broker.execute(.send("and on", from: Self.alice, to: Self.bob)) == .stored(last: 904))
        } afterwards: { (log: EventLog) throws in
            #expect(try log.messages(after: 902).map(\.content) == ["on", "and on"])
            #expect(try log.withTree { $0.size } == 904)
        }
    }

    @Test func `the name of an erased account is in no file either`() async throws {
        try await withLog { path, broker in
            let name = try AccountName("name-" + Self.secret)
            guard case .account(let account, _) = await broker.execute(.register(name)) else { return }
            _ = await broker.execute(.recordLogin(account, address: Self.secret, port: 1))
            _ = await broker.execute(.send(Self.secret, from: account, to: Self.bob))
            _ = await broker.execute(.edit(3, "edited" + Self.secret, by: account, peer: Self.bob))
            _ = await broker.execute(.send("an answer", from: Self.bob, to: account))
            let erasure = try await broker.eraseUser(account, reason: "asked", by: .none)
            #expect(erasure == Broker.Erasure(last: 10, redacted: 4))
            #expect(try broker.log.names(of: account).isEmpty)
            #expect(try broker.log.accountID(named: name) == nil)
            #expect(try count(of: Self.secret, under: path) > 0)
            try await broker.compactLog()
            #expect(try count(of: Self.secret, under: path) == 0)
            // What was said to the account, and why it is gone.
            let left = ["", "", "", "", "an answer"] + [String](repeating: "asked", count: 5)
            #expect(try broker.log.messages().map(\.content) == left)
        }
    }

    /// ```
    /// senders (2)            compactions      readers (2)
    /// send, send, …          compact, …       read from the first on, offsets dense
    /// ```
    @Test func `commands and reads go on while the log is compacted again and again`() async throws {
        try await withLog { _, broker in
            let run = Run()
            try await withThrowingTaskGroup { group in
                for sender in [Self.alice, Self.bob] {
                    group.addTask {
                        for number in 0..<400 {
                            let outcome = await broker.execute(.send("\(number)", from: sender, to: Sample.id(3)))
                            #expect(outcome.storedOffset != nil)
                        }
                    }
                }
                let readers = Task {
                    var most = 0
                    while !run.isOver.load(ordering: .relaxed) {
                        // A message is there for ever, whichever file it is read from.
                        let messages = try broker.log.messages()
                        #expect(messages.map(\.offset) == Array(1..<Offset(messages.count + 1)))
                        #expect(messages.count >= most)
                        most = messages.count
                        await Task.yield()
                    }
                }
                for _ in 0..<20 { try await broker.compactLog() }
                try await group.waitForAll()
                run.isOver.store(true, ordering: .relaxed)
                try await readers.value
            }
            try await broker.compactLog()
            #expect(broker.log.head == 800)
        } afterwards: { (log: EventLog) throws in
            let messages = try log.messages()
            #expect(messages.count == 800)
            for sender in [Self.alice, Self.bob] {
                var next = 0
                try log.read(after: 0) { record in
                    guard record.header.actor == sender else { return true }
                    #expect(String(decoding: MessagePayload.content(of: record.payload)) == "\(next)")
                    next += 1
                    return true
                }
                #expect(next == 400)
            }
        }
    }

    @Test func `a read in progress finishes on the file that it began with`() throws {
        try withTemporaryFolder { path in
            let log = try EventLog(directory: path + "/log", mapBytes: 16 << 20)
            try log.append(messages: ["a", "b", "c"])
            var contents: [String] = []
            try log.read(after: 0) { record in
                if contents.isEmpty {
                    try log.compact()
                    try log.append(messages: ["d"])
                }
                contents.append(String(decoding: MessagePayload.content(of: record.payload)))
                return true
            }
            #expect(contents == ["a", "b", "c"])
            #expect(try log.messages().map(\.content) == ["a", "b", "c", "d"])
        }
    }

    @Test func `a compaction that a crash has interrupted is undone at the next start`() throws {
        try withTemporaryFolder { path in
            let directory = path + "/log"
            let files = FileManager.default
            do { try EventLog(directory: directory, mapBytes: 16 << 20).append(messages: ["a", "b"]) }
            // Written, and killed before the first rename.
            try files.copyItem(atPath: directory, toPath: directory + ".compacting")
            do { #expect(try EventLog(directory: directory, mapBytes: 16 << 20).head == 2) }
            #expect(try files.contentsOfDirectory(atPath: path) == ["log"])
            // Between the renames.
            try files.copyItem(atPath: directory, toPath: directory + ".compacting")
            try files.moveItem(atPath: directory, toPath: directory + ".retired-1")
            do { #expect(try EventLog(directory: directory, mapBytes: 16 << 20).head == 2) }
            #expect(try files.contentsOfDirectory(atPath: path) == ["log"])
            // After them.
            try files.copyItem(atPath: directory, toPath: directory + ".retired-1")
            let log = try EventLog(directory: directory, mapBytes: 16 << 20)
            #expect(try log.messages().map(\.content) == ["a", "b"])
            #expect(try files.contentsOfDirectory(atPath: path) == ["log"])
        }
    }

    /// A name of a file has 255 bytes at most: the first is too long to be built beside, the second to be put aside.
    @Test(arguments: [250, 230]) func `a compaction that fails leaves the log as it was`(length: Int) async throws {
        try await withTemporaryFolder { path in
            let name = String(repeating: "l", count: length)
            let broker = Broker(log: try EventLog(directory: "\(path)/\(name)", mapBytes: 16 << 20))
            try broker.start(state: FakeViews(), projected: 0, subscribers: [])
            #expect(await broker.execute(.send("a", from: Self.alice, to: Self.bob)) == .stored(last: 1))
            await #expect(throws: (any Error).self) { try await broker.compactLog() }
            #expect(await broker.execute(.send("b", from: Self.alice, to: Self.bob)) == .stored(last: 2))
            #expect(broker.failure == nil)
            #expect(try FileManager.default.contentsOfDirectory(atPath: path) == [name])
            #expect(try broker.log.messages().map(\.content) == ["a", "b"])
            broker.stop()
        }
    }

    @Test func `a broker that has stopped, or never began, compacts nothing`() async throws {
        try await withTemporaryFolder { path in
            let broker = Broker(log: try EventLog(directory: path + "/log", mapBytes: 16 << 20))
            let waiting = Task { try await broker.compactLog() }
            while broker.queue.isEmpty { await Task.yield() }
            broker.stop()
            await #expect(throws: Refusal.unavailable) { try await waiting.value }
            await #expect(throws: Refusal.unavailable) { try await broker.compactLog() }
        }
    }

    @Test func `a log that is only read is opened beside the server, as it is then`() throws {
        try withTemporaryFolder { path in
            do {
                let log = try EventLog(directory: path + "/log", mapBytes: 16 << 20)
                try log.append(messages: ["a"])
                try log.compact()
            }
            let log = try EventLog(directory: path + "/log", isReadOnly: true)
            #expect(try log.messages().map(\.content) == ["a"])
        }
    }

    // MARK: Support

    private func leaves(of log: EventLog) throws -> [String] {
        try (1...log.head).compactMap { try log.leafHash(at: $0)?.description }
    }

    private func count(of text: String, under path: String) throws -> Int {
        var count = 0
        for file in try FileManager.default.subpathsOfDirectory(atPath: path) {
            guard let data = FileManager.default.contents(atPath: "\(path)/\(file)") else { continue }
            var rest = data.startIndex..<data.endIndex
            while let found = data.range(of: Data(text.utf8), in: rest) {
                count += 1
                rest = found.upperBound..<data.endIndex
            }
        }
        return count
    }

    private func withLog(
        _ body: (String, Broker) async throws -> Void,
        afterwards: (EventLog) throws -> Void = { _ in }
    ) async throws {
        try await withTemporaryFolder { path in
            do {
                let broker = Broker(log: try EventLog(directory: path + "/log", mapBytes: 256 << 20))
                let views = FakeViews()
                try broker.start(state: views, projected: 0, subscribers: [Recorder(views: views)])
                try await body(path, broker)
                broker.stop()
            }
            try afterwards(EventLog(directory: path + "/log", mapBytes: 256 << 20))
        }
    }
}
