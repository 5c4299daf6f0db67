import Broker
import Foundation
import Projections
import Synchronization

@testable import Server

/// A data folder with a small log in it, one event a second from 2026-01-01 on, and views; removed at the end.
///
/// | offset | |
/// | --- | --- |
/// | 1, 2 | alice and bob register |
/// | 3 | a guest is seen |
/// | 4, 5 | alice writes to bob, bob to alice |
/// | 6, 7, 8 | alice makes a room with bob |
/// | 9, 10 | alice writes to it, bob reads it |
/// | 11, 12 | bob logs in, and fails to |
/// | 13, 14 | alice leaves the room, which becomes bob's |
/// | 15 | the guest writes to alice |
final class SampleFolder: Sendable {
    static let secret = "$2b$04$secretsecretsecretsecretsecretsecretsecretsecretsecre"
    static let guest = "客-é"
    static let rudeText = "hello, \"bob\"\r\n\u{1B}[31mred\u{202E} \\o/"
    static let roomName = "general, \"all\""
    static let start: UInt64 = 1_767_225_600_000
    static let head: Offset = 15

    let folder: DataFolder
    let room: RoomID

    init() async throws {
        folder = DataFolder(NSTemporaryDirectory() + "quipu-sample-" + UUID().uuidString)
        try folder.make()
        room = RoomID(high: 0x0123_4567_89AB_4DEF, low: 0x8123_4567_89AB_CDEF)
        try await fill()
        // The writer's thread lets go of the log a moment after it has stopped.
        _ = try await waiting(for: "the log to be closed") { try? log() }
    }

    deinit { try? FileManager.default.removeItem(atPath: folder.path) }

    /// The log, opened as the commands open it.
    func log() throws -> EventLog { try EventLog(directory: folder.log, isReadOnly: true) }

    private func fill() async throws {
        let log = try EventLog(directory: folder.log, mapBytes: 1 << 26)
        let views = try Views(folder: ViewFolder(data: folder.path, mapBytes: 1 << 26), log: log)
        let seconds = Mutex<UInt64>(0)
        let broker = Broker(
            log: log,
            clock: {
                seconds.withLock {
                    $0 += 1; return Self.start + ($0 - 1) * 1000
                }
            }
        )
        try broker.start(state: views, projected: 0, subscribers: views.subscribers)
        try views.start()
        defer {
            broker.stop()
            views.stop()
        }
        func account(_ name: String) async throws -> AccountID {
            let user = EventPayload.UserRegistered(
                account: try AccountName(name),
                username: name.uppercased(),
                email: "\(name)@example.org",
                passwordHash: Self.secret
            )
            guard case .account(let id, _) = await broker.execute(.register(user, adoptsGuest: false)) else {
                throw CommandFailure("no account")
            }
            return id
        }
        let alice = try await account("alice")
        let bob = try await account("bob")
        guard case .account(let guest, _) = await broker.execute(.admitGuest(try AccountName(Self.guest))) else {
            throw CommandFailure("no guest")
        }
        func send(_ text: String, _ conversation: Command.Conversation, id: String = "") -> Command {
            .send(
                .init(
                    conversation: conversation,
                    payload: MessagePayload.encode(content: Array(text.utf8), id: Array(id.utf8))
                )
            )
        }
        let commands: [Command] = [
            send(Self.rudeText, .init(me: alice, peer: bob)),
            send("你好", .init(me: bob, peer: alice)),
            .createRoom(room, creator: alice, name: Self.roomName, members: [bob]),
            send("to all", .init(me: alice, room: room)),
            .markRead(.init(me: bob, room: room), upTo: 9),
            .recordLogin(bob, address: "2001:db8::7", port: 5000),
            .recordFailedLogin(bob, address: "192.0.2.7"),
            .removeMember(alice, from: room, by: alice),
            send("from a guest", .init(me: guest, peer: alice), id: "m-1"),
        ]
        for command in commands {
            guard case .stored = await broker.execute(command) else { throw CommandFailure("not stored: \(command)") }
        }
        guard log.head == Self.head else { throw CommandFailure("the sample has \(log.head) events") }
        // A view that is stopped before it is done goes on at its next start: here all are to be done.
        for view in views.all {
            try await view.waitUntilProjected(Self.head, deadline: .now + .seconds(20))
        }
    }
}

/// Waits until `condition` gives something.
///
/// - Throws: ``CommandFailure`` after 20 seconds.
func waiting<Value>(for what: String, _ condition: () throws -> Value?) async throws -> Value {
    let deadline = ContinuousClock.now + .seconds(20)
    while ContinuousClock.now < deadline {
        if let value = try condition() { return value }
        await Task.yield()
    }
    throw CommandFailure("waited too long for \(what)")
}

/// What `body` prints.
func printed(_ body: (inout StandardOutput) throws -> Void) throws -> String {
    let path = NSTemporaryDirectory() + "quipu-printed-" + UUID().uuidString
    try Data().write(to: URL(fileURLWithPath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    var output = StandardOutput(file: file)
    do {
        try body(&output)
        try output.flush()
    } catch {
        try? output.flush()
        throw error
    }
    return String(decoding: try Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self)
}
