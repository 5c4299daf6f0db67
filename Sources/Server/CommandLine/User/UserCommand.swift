import ArgumentParser
import Broker
import Cryptography
import Foundation

/// `quipu user`: accounts.
struct UserCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user",
        abstract: "Make and erase accounts.",
        subcommands: [UserAddCommand.self, UserEraseCommand.self]
    )
}

/// `quipu user add`: one account.
struct UserAddCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Make an account.",
        discussion: """
            Asks for the password twice, without showing it. Works whether the server runs or not.

            Examples:
              quipu user add alice --username "Alice Liddell" --email alice@example.org
              pass show quipu/bot | quipu user add bot --password-stdin
              quipu user add bob --adopt
            """
    )

    @Argument(help: "The name to log in with: 1 to 64 bytes, without '/' and '->'.")
    var account: String

    @Option(help: ArgumentHelp("The name to show (default: the account).", valueName: "name"))
    var username: String?

    @Option(help: ArgumentHelp("An address.", valueName: "address"))
    var email = ""

    @Flag(help: "Read the password from standard input.")
    var passwordStdin = false

    @Flag(help: "If the name is a guest's: make it a registered account that keeps the guest's history.")
    var adopt = false

    @OptionGroup var location: FolderOptions

    private static let textBytes = 1024

    func validate() throws {
        do {
            _ = try AccountName(account)
        } catch {
            throw ValidationError("\(account.shownAsJSON) can't be an account: \(error).")
        }
        for (name, text) in [("--username", username ?? account), ("--email", email)] {
            guard text.utf8.count <= Self.textBytes, !text.unicodeScalars.contains("\0") else {
                throw ValidationError("\(name) may have \(Self.textBytes.grouped) bytes at most, and no NUL.")
            }
        }
        if username?.isEmpty == true { throw ValidationError("--username must not be empty.") }
    }

    func run() async throws {
        let (folder, settings) = try await location.load()
        let prompt = PasswordPrompt(policy: .init(settings.limits))
        let password = passwordStdin ? try prompt.read() : try prompt.ask(for: account)
        let user = ControlRequest.NewUser(
            account: account,
            username: username ?? account,
            email: email,
            passwordHash: try Password.hash(password, cost: settings.auth.bcryptCost),
            adopt: adopt
        )
        let added: AddedUser
        switch try await FolderAccess.open(folder, command: "quipu user add") {
        case .server(let client): added = try await client.ask(.userAdd(user))
        case .alone(let lock):
            defer { lock.release() }
            added = try await UserAdding.add(user, to: folder, settings)
        }
        StandardOutput.print("added \(TerminalText.escape(added.account)) at offset \(added.offset)")
    }
}
