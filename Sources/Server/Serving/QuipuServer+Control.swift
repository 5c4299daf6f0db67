import Broker
import Foundation
import Projections

// What a running server does for the commands on its folder.

extension QuipuServer {
    /// The handlers of the control socket.
    func controlHandlers(_ folder: DataFolder) -> ControlHandlers {
        ControlHandlers(
            status: { status(folder) },
            userAdd: { try await NewAccount.add($0, to: services.broker) },
            replay: { names, progress in
                // Blocks for as long as it takes, so it gets a thread that nobody waits for.
                try await Blocking.run { try replay(names, progress) }
            }
        )
    }

    private func status(_ folder: DataFolder) -> ControlStatus {
        ControlStatus(
            pid: ProcessInfo.processInfo.processIdentifier,
            address: DataFolderLock.holder(of: folder)?.address,
            log: services.broker.log.identity.description,
            head: services.broker.log.head,
            views: services.views.all.map { view in
                .init(name: view.name, checkpoint: view.projected, failure: view.failure.map { "\($0)" })
            }
        )
    }
}

/// An account that the operator makes, by the running server or by the command alone.
enum NewAccount {
    /// Registers `user`. Returns when it is on disk.
    ///
    /// - Throws: ``CommandFailure``.
    static func add(_ user: ControlRequest.NewUser, to broker: Broker) async throws -> AddedUser {
        let account: AccountName
        do throws(AccountName.Invalid) {
            account = try AccountName(user.account)
        } catch {
            throw CommandFailure("\(error)", status: .usage)
        }
        let event = EventPayload.UserRegistered(
            account: account,
            username: user.username,
            email: user.email,
            passwordHash: user.passwordHash
        )
        switch await broker.execute(.register(event, adoptsGuest: user.adopt)) {
        case .account(let id, let offset): return AddedUser(account: user.account, id: "\(id)", offset: offset)
        case .refused(.accountTaken):
            let hint = user.adopt ? "" : "; if a guest has it, --adopt gives the name and its history to the new account"
            throw CommandFailure("the account \(user.account) is taken\(hint)")
        default: throw CommandFailure("not stored: the log can't take it now (is the disk full?); try again")
        }
    }
}
