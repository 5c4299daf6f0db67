import Foundation
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import Server

struct ControlServerTests {
    private static let status = ControlStatus(pid: 7, address: "http://x", log: "l.1", head: 9, views: [])

    private static let handlers = ControlHandlers(
        status: { status },
        userAdd: { user in
            guard !user.adopt else { throw CommandFailure("no adoption", status: .usage) }
            return AddedUser(account: user.account, id: "00", offset: 3)
        },
        replay: { views, progress in
            for view in views { progress(ReplayProgress(view: view, events: 5, of: 5)) }
            return views.map { ReplayedView(view: $0, events: 5, seconds: 0.5) }
        },
        erase: { request, progress in
            progress(ReplayProgress(view: "log", events: 5, of: 5))
            guard case .event(let offset) = request.target else { throw CommandFailure(request.reason, status: .usage) }
            return ErasureReport(erased: 2, offset: offset + 1, resumed: false, rewritten: true, logBytes: 7)
        }
    )

    @Test func `a request gets its result`() async throws {
        try await withServer { client in
            _ = try await client.ask(.ping, for: ControlDone.self)
            #expect(try await client.ask(.status) == Self.status)
            let user = ControlRequest.NewUser(account: "a", username: "", email: "", passwordHash: "", adopt: false)
            #expect(try await client.ask(.userAdd(user)) == AddedUser(account: "a", id: "00", offset: 3))
        }
    }

    @Test func `a failure comes with its exit code`() async throws {
        try await withServer { client in
            let user = ControlRequest.NewUser(account: "a", username: "", email: "", passwordHash: "", adopt: true)
            let failure = await #expect(throws: CommandFailure.self) {
                try await client.ask(.userAdd(user), for: AddedUser.self)
            }
            #expect(failure == CommandFailure("no adoption", status: .usage))
        }
    }

    @Test func `progress comes before the result`() async throws {
        try await withServer { client in
            var reports: [ReplayProgress] = []
            let views: [ReplayedView] = try await client.ask(.replay(views: ["a", "b"])) { reports.append($0) }
            #expect(views.map(\.view) == ["a", "b"])
            #expect(reports == ["a", "b"].map { ReplayProgress(view: $0, events: 5, of: 5) })
        }
    }

    @Test func `an erasure is asked for, of an event or an account, with its reason`() async throws {
        try await withServer { client in
            var reports: [ReplayProgress] = []
            let request = ErasureRequest(target: .event(8), reason: "r \"1\"")
            let report: ErasureReport = try await client.ask(.erase(request)) { reports.append($0) }
            #expect((report.erased, report.offset, report.accountID) == (2, 9, nil))
            #expect(reports == [ReplayProgress(view: "log", events: 5, of: 5)])
            let failure = await #expect(throws: CommandFailure.self) {
                let request = ErasureRequest(target: .account("8"), reason: "the reason")
                return try await client.ask(.erase(request), for: ErasureReport.self)
            }
            #expect(failure == CommandFailure("the reason", status: .usage))
        }
    }

    @Test func `many ask at once`() async throws {
        try await withServer { client in
            try await withThrowingTaskGroup(of: [ReplayedView].self) { group in
                for number in 0..<50 { group.addTask { try await client.ask(.replay(views: ["\(number)"])) } }
                var seen: Set<String> = []
                for try await views in group { seen.formUnion(views.map(\.view)) }
                #expect(seen.count == 50)
            }
        }
    }

    @Test func `work is given up when the command has gone away`() async throws {
        let (started, starting) = AsyncStream.makeStream(of: Void.self)
        let (cancelled, cancelling) = AsyncStream.makeStream(of: Void.self)
        var handlers = Self.handlers
        handlers.replay = { _, _ in
            starting.yield()
            let (never, holding) = AsyncStream.makeStream(of: Void.self)
            for await _ in never {}
            cancelling.yield()
            holding.finish()
            throw CancellationError()
        }
        try await withServer(handlers: handlers) { client in
            let asking = Task { try await client.ask(.replay(views: []), for: [ReplayedView].self) }
            for await _ in started { break }
            asking.cancel()
            for await _ in cancelled { break }
            _ = await asking.result
            // And others are served as before.
            _ = try await client.ask(.ping, for: ControlDone.self)
        }
    }

    @Test func `what nobody knows is refused without repeating it`() async throws {
        try await withServer { client in
            let lines = try await exchange("{\"request\":\"stop\",\"password_hash\":\"$2b$secret\"}\n", client.folder)
            #expect(lines.count == 1)
            #expect(lines[0].contains("doesn't know this request"))
            #expect(!lines[0].contains("secret"))
            _ = try await client.ask(.ping, for: ControlDone.self)
        }
    }

    @Test func `only its owner reaches the socket`() async throws {
        try await withServer { client in
            let mode = try mode(client.folder.controlSocket)
            #expect(mode == 0o600)
        }
    }

    @Test func `the socket of a dead server is replaced, and removed at the end`() async throws {
        try await withServer { client in
            let folder = client.folder
            #expect(FileManager.default.fileExists(atPath: folder.controlSocket))
            let second = try await ControlServer.bind(in: folder, handlers: Self.handlers)
            let running = Task { try await second.run() }
            _ = try await client.ask(.ping, for: ControlDone.self)
            running.cancel()
            try await running.value
            #expect(!FileManager.default.fileExists(atPath: folder.controlSocket))
            await #expect(throws: ControlClient.NotReachable.self) {
                try await client.ask(.ping, for: ControlDone.self)
            }
        }
    }

    @Test(arguments: [102, 103, 104, 108, 250])
    func `a path of any length will do`(bytes: Int) async throws {
        try await withServer(pathBytes: bytes) { client in
            #expect(client.folder.controlSocket.utf8.count == bytes)
            _ = try await client.ask(.ping, for: ControlDone.self)
            #expect(FileManager.default.fileExists(atPath: client.folder.controlSocket))
        }
    }

    @Test func `a command takes a free folder for itself, and asks the server that has one`() async throws {
        try await withServer(lock: true) { client in
            guard case .server(let found) = try await FolderAccess.open(client.folder, command: "quipu replay") else {
                Issue.record("the server was not found")
                return
            }
            #expect(try await found.ask(.status) == Self.status)
        }
        let folder = DataFolder(NSTemporaryDirectory() + "quipu-alone-" + UUID().uuidString)
        defer { try? FileManager.default.removeItem(atPath: folder.path) }
        guard case .alone(let lock) = try await FolderAccess.open(folder, command: "quipu replay") else {
            Issue.record("a server was found where there is none")
            return
        }
        // Another command that has the folder is no server to ask.
        await #expect(throws: DataFolderInUse.self) { try await FolderAccess.open(folder, command: "quipu user add") }
        lock.release()
    }

    @Test func `a server that never answers is reported`() async throws {
        let folder = DataFolder(NSTemporaryDirectory() + "quipu-mute-" + UUID().uuidString)
        defer { try? FileManager.default.removeItem(atPath: folder.path) }
        let lock = try DataFolderLock(folder, command: "quipu serve")
        defer { lock.release() }
        await #expect(throws: DataFolderInUse.self) {
            try await FolderAccess.open(folder, command: "quipu replay", patience: .zero)
        }
    }

    // MARK: Helpers

    private func withServer(
        handlers: ControlHandlers = handlers,
        pathBytes: Int? = nil,
        lock: Bool = false,
        _ body: (ControlClient) async throws -> Void
    ) async throws {
        let base = NSTemporaryDirectory() + "quipu-" + UUID().uuidString.prefix(8)
        let fill = max(0, (pathBytes ?? 0) - base.utf8.count - "/control.sock".utf8.count)
        let folder = DataFolder(base + String(repeating: "x", count: fill))
        try folder.make()
        defer { try? FileManager.default.removeItem(atPath: folder.path) }
        let held = lock ? try DataFolderLock(folder, command: "quipu serve") : nil
        defer { held?.release() }
        let server = try await ControlServer.bind(in: folder, handlers: handlers)
        let running = Task { try await server.run() }
        do {
            try await body(ControlClient(folder: folder))
        } catch {
            running.cancel()
            _ = try? await running.value
            throw error
        }
        running.cancel()
        try await running.value
    }

    /// Writes `text` to the socket and reads all lines of the answer.
    private func exchange(_ text: String, _ folder: DataFolder) async throws -> [String] {
        let path = try ControlSocketPath(folder)
        let connection = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(unixDomainSocketPath: path.path) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await connection.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(string: text))
            var answer = ByteBuffer()
            for try await part in inbound { answer.writeImmutableBuffer(part) }
            return String(buffer: answer).split(separator: "\n").map(String.init)
        }
    }
}
