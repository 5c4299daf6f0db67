import Broker
import Foundation
import Projections
import Testing

@testable import Server

struct UserAddingTests {
    private let settings: Settings = {
        var settings = Settings()
        settings.log.mapBytes = 1 << 26
        settings.views.mapBytes = 1 << 26
        return settings
    }()

    private func user(_ account: String, adopt: Bool = false) -> ControlRequest.NewUser {
        .init(account: account, username: "U", email: "e", passwordHash: "$2b$new", adopt: adopt)
    }

    /// Each call is a process of its own in life: the log must be closed before the next opens it.
    private func add(_ user: ControlRequest.NewUser, _ sample: SampleFolder) async throws -> AddedUser {
        _ = try await waiting(for: "the log to be free") { try? sample.log() }
        return try await UserAdding.add(user, to: sample.folder, settings)
    }

    @Test func `a new account is in the log and in the view`() async throws {
        let sample = try await SampleFolder()
        let added = try await add(user("dave"), sample)
        #expect(added.account == "dave")
        #expect(added.offset == SampleFolder.head + 1)
        let log = try await waiting(for: "the log to be free") { try? sample.log() }
        #expect(try log.accountID(named: AccountName("dave"))?.description == added.id)
        let directory = ViewFolder(data: sample.folder.path).directory(of: UsersProjection.self)
        let users = UsersView(try View(UsersProjection.self, readOnlyDirectory: directory))
        let account = try users.account(named: AccountName("dave")).value
        #expect(account?.passwordHash == "$2b$new")
        #expect(account?.username == "U")
    }

    @Test func `the first account makes the log`() async throws {
        let folder = DataFolder(NSTemporaryDirectory() + "quipu-first-" + UUID().uuidString)
        defer { try? FileManager.default.removeItem(atPath: folder.path) }
        #expect(try await UserAdding.add(user("first"), to: folder, settings).offset == 1)
        #expect(folder.hasLog)
    }

    @Test func `a name that is taken is refused, a guest's with a hint`() async throws {
        let sample = try await SampleFolder()
        for (name, adopt, hint) in [
            ("alice", true, "registered already"), ("alice", false, "--adopt"), (SampleFolder.guest, false, "--adopt"),
        ] {
            let failure = await #expect(throws: CommandFailure.self) { try await add(user(name, adopt: adopt), sample) }
            #expect(failure?.status == .failure)
            #expect(failure?.message.contains(hint) == true)
        }
        #expect(try await waiting(for: "the log to be free") { try? sample.log() }.head == SampleFolder.head)
    }

    @Test func `an adopted guest keeps its id`() async throws {
        let sample = try await SampleFolder()
        let before = try sample.log().accountID(named: AccountName(SampleFolder.guest))
        #expect(try await add(user(SampleFolder.guest, adopt: true), sample).id == before?.description)
    }

    @Test(arguments: ["", "a/b", "Server", String(repeating: "x", count: 65)])
    func `what is no name is refused`(name: String) async throws {
        let sample = try await SampleFolder()
        let failure = await #expect(throws: CommandFailure.self) { try await add(user(name), sample) }
        #expect(failure?.status == .usage)
    }
}
