import ArgumentParser
import Broker
import Foundation

/// `quipu audit redact`: the payload of one event.
struct AuditRedactCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "redact",
        abstract: "Erase what an event holds; that there was one, and every proof, stays.",
        discussion: """
            Of a message all that it was edited to goes as well. Works whether the server runs or not, and writes the \
            files anew, which needs room for a second copy of the log. Copies made before, backups too, keep the bytes.

            Example:
              quipu audit redact 812 --reason "court order 12/26"
            """
    )

    @Argument(help: "The event, by its offset: a message's ID.", transform: OffsetOrTime.parseOffset)
    var offset: Offset

    @Option(help: ArgumentHelp("Why. It stays in the log for ever: say nothing of what goes.", valueName: "text"))
    var reason: String

    @OptionGroup var options: ErasureOptions

    func validate() throws { try ErasureOptions.validate(reason: reason) }

    func run() async throws {
        try await options.run(ErasureRequest(target: .event(offset), reason: reason), "quipu audit redact") { folder in
            try options.confirm("yes", "This erases \(Self.words(for: offset, in: folder)).")
        }
    }

    /// What a person recognises an event by.
    private static func words(for offset: Offset, in folder: DataFolder) throws -> String {
        let log = try EventLog(directory: folder.log, isReadOnly: true)
        var names = AuditNames()
        try names.prepare(for: offset, of: log, in: folder)
        let found = try log.withRecord(at: offset) { record in
            let payload = try record.readPayload()
            names.learn(record.header, payload)
            let event = AuditEvent(record, payload: payload, names: &names)
            let time = Timestamp.text(milliseconds: record.header.milliseconds)
            return "event \(offset), \(time), \(record.header.type.name) by \(TerminalText.escape(event.actor.label)) "
                + event.what
        }
        // The one who erases says what is wrong with it.
        return found ?? "event \(offset)"
    }
}

/// `quipu user erase`: an account and all that it has left.
struct UserEraseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "erase",
        abstract: "Erase an account: its name, its logins, and what it wrote.",
        discussion: """
            Others see its messages as erased; the name is free again. Works whether the server runs or not, and \
            writes the files anew, which needs room for a second copy of the log. Copies made before, backups too, \
            keep the bytes.

            Example:
              quipu user erase alice --reason "asked for it on 2026-11-21"
            """
    )

    @Argument(help: "The account, registered or a guest's.")
    var account: String

    @Option(help: ArgumentHelp("Why. It stays in the log for ever: say nothing of what goes.", valueName: "text"))
    var reason = ""

    @OptionGroup var options: ErasureOptions

    func validate() throws { try ErasureOptions.validate(reason: reason, mayBeEmpty: true) }

    func run() async throws {
        let request = ErasureRequest(target: .account(account), reason: reason)
        try await options.run(request, "quipu user erase") { _ in
            try options.confirm(account, "This erases the account \(account.shownAsJSON) and all that it wrote.")
        }
    }
}
