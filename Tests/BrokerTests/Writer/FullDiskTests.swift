import Foundation
import Synchronization
import Testing

@testable import Broker
@testable import LMDB

/// No room, in every way in which there may be none: nothing that was acknowledged is lost, reads go on, and it is
/// accepted again as soon as there is room.
@Suite struct FullDiskTests {
    @Test func `a write that the disk refuses is refused as unavailable, and the next one is taken`() throws {
        try withTemporaryFolder { path in
            let log = try EventLog(directory: path, mapBytes: 16 << 20)
            let writer = try Writer(log)
            try writer.send("a")
            let full = try FaultyDisk(device: "/dev/full", under: path)
            for _ in 0..<3 { #expect(try writer.trySend("lost") == .refused(.unavailable)) }
            #expect(try log.messages().map(\.content) == ["a"])
            #expect(log.head == 1)
            full.repair()
            try writer.send("b")
            #expect(writer.broker.failure == nil)
            #expect(try log.messages().map(\.content) == ["a", "b"])
            // Revisions have no gap where the refused ones were.
            #expect(try log.withRecord(at: 2) { $0.header.revision } == 2)
            writer.broker.stop()
        }
    }

    @Test func `with the disk full, what appends nothing is answered`() throws {
        try withTemporaryFolder { path in
            let log = try EventLog(directory: path, mapBytes: 16 << 20)
            let writer = try Writer(log)
            try writer.send("a", id: "m")
            let full = try FaultyDisk(device: "/dev/full", under: path)
            #expect(try writer.trySend("a", id: "m") == .duplicate(1))
            #expect(try writer.decide(.markRead(by: Writer.me, peer: Writer.peer)) == .unchanged(1))
            #expect(try writer.decide(.send("x", from: Writer.me, room: Sample.id(9))) == .refused(.noSuchRoom))
            #expect(try writer.decide(.markRead(by: Writer.peer, peer: Writer.me)) == .refused(.unavailable))
            full.repair()
            #expect(try writer.decide(.markRead(by: Writer.peer, peer: Writer.me)) == .stored(last: 2))
            writer.broker.stop()
        }
    }

    @Test func `a full map refuses, loses nothing, and a larger one goes on`() throws {
        try withTemporaryFolder { path in
            var sent: [String] = []
            do {
                let log = try EventLog(directory: path, mapBytes: 1 << 20)
                let writer = try Writer(log)
                sent = try writer.fill()
                #expect(sent.count > 10)
                #expect(try log.messages().map(\.content) == sent)
                #expect(try writer.trySend(Writer.long) == .refused(.unavailable))
                #expect(writer.broker.failure == nil)
                writer.broker.stop()
            }
            let log = try EventLog(directory: path, mapBytes: 16 << 20)
            let writer = try Writer(log)
            try writer.send("more")
            #expect(try log.messages().map(\.content) == sent + ["more"])
            writer.broker.stop()
        }
    }

    /// As `ulimit -f` or a quota does it.
    ///
    /// In a process of its own, because the limit holds for the whole process.
    @Test func `a file that may not grow is a full disk, until it may`() async {
        await #expect(processExitsWith: .success) {
            // Without this the kernel ends a process that writes past its limit.
            signal(SIGXFSZ, SIG_IGN)
            try withTemporaryFolder { path in
                let log = try EventLog(directory: path, mapBytes: 64 << 20)
                let writer = try Writer(log)
                try writer.send("first")
                #expect(FullDiskTests.limitFileSize(to: "1000000"))
                let sent = ["first"] + (try writer.fill())
                #expect(sent.count > 10)
                #expect(writer.broker.failure == nil)
                #expect(try log.messages().map(\.content) == sent)
                #expect(FullDiskTests.limitFileSize(to: "unlimited"))
                try writer.send("more")
                #expect(try log.messages().map(\.content) == sent + ["more"])
                writer.broker.stop()
            }
        }
    }

    /// The real thing: a file system of two megabytes, filled by somebody else.
    @Test(.enabled("needs the right to mount a file system") { withSmallFileSystem { _ in } })
    func `a full file system is waited out`() throws {
        var failure: (any Error)?
        let isMounted = withSmallFileSystem { path in
            do {
                let log = try EventLog(directory: path + "/log", mapBytes: 64 << 20)
                let writer = try Writer(log)
                try writer.send("first")
                let ballast = path + "/ballast"
                // It ends when the file system is full.
                run("dd", "if=/dev/zero", "of=\(ballast)", "bs=4096")
                #expect(try writer.trySend(Writer.long) == .refused(.unavailable))
                #expect(try log.messages().map(\.content) == ["first"])
                try FileManager.default.removeItem(atPath: ballast)
                let sent = ["first"] + (try writer.fill())
                #expect(sent.count > 10)
                #expect(try log.messages().map(\.content) == sent)
                #expect(writer.broker.failure == nil)
                writer.broker.stop()
            } catch {
                failure = error
            }
        }
        #expect(isMounted)
        if let failure { throw failure }
    }

    @Test func `a flush that fails with room on the disk ends the writing`() throws {
        try withTemporaryFolder { path in
            do {
                let log = try EventLog(directory: path, mapBytes: 16 << 20)
                let reasons = Mutex<[String]>([])
                let writer = try Writer(log) { reason in reasons.withLock { $0.append(reason) } }
                try writer.send("a")
                let broken = try FaultyDisk(device: "/dev/null", under: path)
                for _ in 0..<3 { #expect(try writer.trySend("lost") == .refused(.unavailable)) }
                broken.repair()
                // What the kernel has thrown away nobody knows: no second try.
                #expect(try writer.trySend("lost") == .refused(.unavailable))
                #expect(reasons.withLock { $0.count } == 1)
                #expect(writer.broker.failure == reasons.withLock { $0.first })
                #expect(writer.broker.failure?.contains("mdb_txn_commit") == true)
                #expect(try log.messages().map(\.content) == ["a"])
                writer.broker.stop()
            }
            let log = try EventLog(directory: path, mapBytes: 16 << 20)
            let writer = try Writer(log)
            try writer.send("b")
            #expect(try log.messages().map(\.content) == ["a", "b"])
            writer.broker.stop()
        }
    }

    @Test(
        arguments: [
            (-30_792, true), (ENOSPC, true), (EDQUOT, true), (EFBIG, true), (EIO, false), (EINVAL, false),
            (EBADF, false),
            (-30_795, false), (-30_796, false),
        ] as [(Int32, Bool)]
    )
    func `want of room is told from other failures`(code: Int32, isForWantOfSpace: Bool) throws {
        try withTemporaryFolder { path in
            _ = try EventLog(directory: path, mapBytes: 1 << 20)
            let error = LMDBError(code: code, function: "mdb_txn_commit")
            #expect(WriteFailure.isForWantOfSpace(error, directory: path) == isForWantOfSpace)
            #expect(try FileManager.default.contentsOfDirectory(atPath: path).sorted() == ["data.mdb", "lock.mdb"])
        }
        #expect(!WriteFailure.isForWantOfSpace(Refusal.unavailable, directory: "/"))
    }

    private static func limitFileSize(to bytes: String) -> Bool {
        run("prlimit", "--pid", "\(getpid())", "--fsize=\(bytes):")
    }
}

/// Mounts a file system of 2 MiB for as long as `body` runs; false if that isn't allowed.
private func withSmallFileSystem(_ body: (String) -> Void) -> Bool {
    (try? withTemporaryFolder { path in
        guard run("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", path) else { return false }
        defer { run("umount", "--lazy", path) }
        body(path)
        return true
    }) ?? false
}

/// A broker at work, asked one thing at a time.
private struct Writer {
    static let me = Sample.id(1)
    static let peer = Sample.id(2)
    static let long = String(repeating: "長い", count: 2000)

    let broker: Broker
    private let recorder = Recorder()

    init(_ log: EventLog, onFailure: @escaping @Sendable (String) -> Void = { _ in }) throws {
        broker = Broker(log: log, sinks: 1, onFailure: onFailure)
        try broker.start(state: FakeViews(), projected: 0, subscribers: [recorder])
    }

    func decide(_ command: Command) throws -> Outcome {
        let count = recorder.receipts(of: 0).count
        #expect(broker.submit(command, origin: .init(sink: 0, ticket: 0)))
        try #require(recorder.waitForReceipts(count + 1, of: 0))
        return recorder.receipts(of: 0)[count].outcome
    }

    func trySend(_ content: String, id: String = "") throws -> Outcome {
        try decide(.send(content, from: Self.me, to: Self.peer, id: id))
    }

    func send(_ content: String, id: String = "") throws {
        #expect(try trySend(content, id: id) == .stored(last: broker.log.head))
    }

    /// Sends long messages until one is refused, and returns those that weren't.
    func fill() throws -> [String] {
        var sent: [String] = []
        while sent.count < 10_000 {
            let content = "\(sent.count) \(Self.long)"
            let outcome = try trySend(content)
            guard outcome != .refused(.unavailable) else { return sent }
            #expect(outcome == .stored(last: broker.log.head))
            sent.append(content)
        }
        Issue.record("it never filled up")
        return sent
    }
}
