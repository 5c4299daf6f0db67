import ArgumentParser
import Broker
import Foundation
import Projections

/// `quipu replay`: views made anew from the log.
struct ReplayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Rebuild views from the log, or check that they are what the log says.",
        discussion: """
            Builds beside the views in use and then switches; no query fails or waits
            meanwhile. If a server runs on the data folder, it does the work.

            Examples:
              quipu replay
              quipu replay --view unread --view conversations
              quipu replay --verify
              quipu replay --into /tmp/yesterday --to 2026-11-20T23:59:59Z
            """
    )

    @OptionGroup var location: FolderOptions

    @Option(help: ArgumentHelp("A view; may be given several times (default: all).", valueName: "name"))
    var view: [String] = []

    @Option(
        help: ArgumentHelp(
            "Replay up to this event, itself included: an offset, a time or a date. Needs --into or --verify.",
            valueName: "offset or time"
        ),
        transform: OffsetOrTime.parse
    )
    var to: OffsetOrTime?

    @Option(help: ArgumentHelp("Leave the views in this folder instead, as <dir>/views/<name>-v<n>.", valueName: "dir"))
    var into: String?

    @Flag(help: "Change nothing: replay into a temporary folder and compare with the views in use.")
    var verify = false

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        do {
            _ = try ViewBuilding.projections(named: view)
        } catch let failure as CommandFailure {
            throw ValidationError(failure.message)
        }
        if to != nil, into == nil, !verify {
            throw ValidationError(
                "--to needs --into or --verify: views that end in the past would give wrong answers if they were used."
            )
        }
        if into != nil, verify { throw ValidationError("--into and --verify exclude each other.") }
    }

    func run() async throws {
        let (folder, settings) = try await location.load()
        try folder.requireLog()
        let projections = try ViewBuilding.projections(named: view)
        let bar = ReplayBar(views: projections.count)
        let report = try await Interruption.cancelling { [self] in
            defer { bar.finish() }
            if verify { return try await ReplayVerifying(folder: folder, to: to).run(projections, bar) }
            if let into {
                return try await ReplayBuilding(folder: folder, into: into, to: to).run(projections, bar)
            }
            return try await ReplaySwitching(folder: folder, settings: settings).run(projections, bar)
        }
        if json {
            StandardOutput.print(try report.json())
        } else {
            report.lines.forEach { StandardOutput.print($0) }
        }
        if report.differs { throw ExitCode(CommandFailure.Status.failure.rawValue) }
    }
}
