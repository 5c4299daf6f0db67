import ArgumentParser
import Broker
import Foundation

/// `quipu audit export`: a folder that an auditor can check without us.
struct AuditExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write events with proofs into a folder, for an auditor to verify.",
        discussion: """
            Writes the log's tree, a signed checkpoint of it, and the selected events with their records and a
            proof each. Secrets are withheld. `quipu audit verify` checks it without the data folder.

            An export of the whole log holds the entries of all events: who did what to whom and when. With a
            selection they are written only if --entries asks for it: they prove that nothing that was selected
            is missing, and show what others did, though not what they wrote.

            Examples:
              quipu audit export quarter --since 2026-07-01 --until 2026-10-01
              quipu audit export case-17 --user alice --peer bob
              quipu audit export board --room board --entries
            """
    )

    @OptionGroup var location: FolderOptions

    @Argument(help: ArgumentHelp("A new or an empty folder.", valueName: "dir"))
    var folder: String

    @OptionGroup var selected: SelectionOptions

    @Flag(help: "Write the entries of all events, to prove that nothing that was selected is missing.")
    var entries = false

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() async throws {
        let (data, _) = try await location.load()
        try data.requireLog()
        let log = try EventLog(directory: data.log, isReadOnly: true)
        let key = try AuditKey(folder: data, log: log.identity)
        let selection = try selection(in: log)
        let target = ExportFolder(folder)
        let isNew = try target.make()
        let bar = ProgressBar(unit: "done")
        defer { bar.finish() }
        let export = LogExport(
            log: log,
            key: key,
            selection: selection,
            hasEntries: entries || selection.isEverything,
            bar: bar
        )
        let manifest: ExportManifest
        do {
            manifest = try await Interruption.cancelling { try export.write(to: target) }
        } catch {
            target.discard(isNew: isNew)
            throw error
        }
        bar.finish()
        try StandardOutput.print { output in
            if json {
                var object = JSONObjectWriter()
                object.text("folder", target.path)
                object.number("events", manifest.events.count)
                object.number("size", manifest.head.size)
                object.text("root", manifest.head.root.base64)
                object.flag("entries", manifest.hasEntries)
                object.text("key", key.verifierKey.description)
                try output.write { $0.append(contentsOf: object.finished + [UInt8(ascii: "\n")]) }
            } else {
                try output.line("\(Int(manifest.events.count).grouped) events of \(Int(manifest.head.size).grouped)")
                try output.line("verify with: quipu audit verify \(target.path) --key \(key.verifierKey)")
            }
        }
    }

    private func selection(in log: EventLog) throws -> ExportSelection {
        var query = AuditQuery()
        try query.resolve(user: nil, peer: nil, room: selected.room, in: log)
        return ExportSelection(
            user: try selected.user.map { try AuditQuery.account(nameOrID: $0, in: log) },
            peer: try selected.peer.map { try AuditQuery.account(nameOrID: $0, in: log) },
            room: query.stream,
            since: selected.since,
            until: selected.until
        )
    }
}
