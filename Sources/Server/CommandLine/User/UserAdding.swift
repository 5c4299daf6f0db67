import Broker
import Projections

/// Makes an account: in the running server, or on a data folder that nobody has.
enum UserAdding {
    /// Makes the account through the broker of the log.
    ///
    /// - Throws: ``CommandFailure`` if it can't be made.
    static func add(_ user: ControlRequest.NewUser, by broker: Broker) async throws -> AddedUser {
        let name: AccountName
        do {
            name = try AccountName(user.account)
        } catch {
            throw CommandFailure("\(user.account.shownAsJSON) can't be an account: \(error)", status: .usage)
        }
        let registration = EventPayload.UserRegistered(
            account: name,
            username: user.username,
            email: user.email,
            passwordHash: user.passwordHash
        )
        switch await broker.execute(.register(registration, adoptsGuest: user.adopt)) {
        case .account(let id, let offset):
            return AddedUser(account: user.account, id: id.description, offset: offset)
        case .refused(.accountTaken) where user.adopt:
            throw CommandFailure("the account \(user.account.shownAsJSON) is registered already")
        case .refused(.accountTaken):
            throw CommandFailure(
                "there is an account \(user.account.shownAsJSON) already; if it is a guest's, --adopt makes it a "
                    + "registered one that keeps the guest's history"
            )
        case let outcome:
            throw CommandFailure("the log can't take it now (\(outcome)): look whether the disk is full, and try again")
        }
    }

    /// Makes the account in `folder`, whose lock the caller has.
    ///
    /// - Throws: ``CommandFailure``, and what opening the log and the views throws.
    static func add(
        _ user: ControlRequest.NewUser,
        to folder: DataFolder,
        _ settings: Settings
    ) async throws -> AddedUser {
        let log = try EventLog(directory: folder.log, mapBytes: settings.log.mapBytes)
        let bar = ProgressBar(label: "the log's Merkle tree", unit: "events")
        try log.upgradeTree { bar.update(done: $0, total: $1) }
        bar.finish()
        let views = try Views(folder: ViewFolder(data: folder.path, mapBytes: settings.views.mapBytes), log: log)
        let broker = Broker(log: log)
        try broker.start(
            state: views,
            projected: views.all.map(\.projected).min() ?? 0,
            subscribers: views.subscribers
        )
        try views.start()
        defer {
            broker.stop()
            views.stop()
        }
        let added = try await add(user, by: broker)
        // Else the next start would have to catch up with it. The account is in the log either way.
        for view in views.all { try? await view.waitUntilProjected(log.head, deadline: .now + .seconds(5)) }
        return added
    }
}
