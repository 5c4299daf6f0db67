import ArgumentParser
import Foundation

/// The command `quipu`.
struct Quipu: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quipu",
        abstract: "An event-sourced message broker: every action is an event in an append-only log.",
        version: "0.1.0",
        subcommands: [
            ServeCommand.self, ReplayCommand.self, AuditCommand.self, BenchCommand.self, UserCommand.self,
        ]
    )
}
