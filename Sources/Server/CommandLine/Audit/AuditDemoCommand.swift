import ArgumentParser
import Broker
import Foundation

/// `quipu audit demo`: what an audit finds, shown.
struct AuditDemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Show what an audit finds.",
        subcommands: [AuditTamperCommand.self]
    )
}

/// `quipu audit demo tamper`: attacks on copies of a log, each of which comes to light.
struct AuditTamperCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tamper",
        abstract: "Tamper with copies of a log, and show how each attack is caught.",
        discussion: """
            Flips a bit, drops, swaps and rewrites messages, computes the tree anew, cuts off
            the newest events, changes a view, forges a checkpoint: each on a copy of its
            own, never on the data folder itself. Then runs `quipu audit verify` on it, and
            shows what it says. Where only something kept outside tells, it says so. If there
            is no log, a small one is made. Ends with 0 if every attack was caught, else 1.

            Examples:
              quipu audit demo tamper
              quipu audit demo tamper --keep /tmp/tampered
            """
    )

    @OptionGroup var location: FolderOptions

    @Option(help: ArgumentHelp("Leave the copies in this folder, which must be new or empty.", valueName: "dir"))
    var keep: String?

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() async throws {
        let allCaught: Bool
        do {
            let (folder, _) = try await location.load()
            if location.data != nil { try folder.requireLog() }
            allCaught = try await Interruption.cancelling { [self] in
                try await demonstrate(on: folder.hasLog ? folder : nil)
            }
        } catch {
            throw CommandFailure(CommandFailure(error).message, status: .usage)
        }
        if !allCaught { throw ExitCode(CommandFailure.Status.failure.rawValue) }
    }

    private func demonstrate(on source: DataFolder?) async throws -> Bool {
        let temporary = FileManager.default.temporaryDirectory.path + "/quipu-demo-" + UUID().uuidString
        let work = keep.map { URL(fileURLWithPath: $0).path } ?? temporary
        defer { if keep == nil { try? FileManager.default.removeItem(atPath: work) } }
        let demo = TamperDemo(source: source, work: work, keepsCopies: keep != nil)
        var results: [TamperResult] = []
        let allCaught = try await demo.run { result in
            results.append(result)
            if !json { StandardOutput.print((result.lines + [""]).joined(separator: "\n")) }
        }
        if json {
            var object = JSONObjectWriter()
            object.flag("all_caught", allCaught)
            object.objects("attacks", results.map(\.json))
            StandardOutput.print(String(decoding: object.finished, as: UTF8.self))
        } else {
            let caught = results.count(where: \.isCaught)
            StandardOutput.print("\(caught) of \(results.count) attacks caught")
        }
        return allCaught
    }
}
