import Broker

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
        try await OpenFolder.with(folder, settings) { broker, _ in try await add(user, by: broker) }
    }
}
