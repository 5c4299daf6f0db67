import ArgumentParser
import Foundation
import Testing

@testable import Server

struct CommandLineEntryTests {
    struct Root: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "quipu",
            subcommands: [ReplayCommand.self, AuditCommand.self, UserCommand.self, BenchCommand.self]
        )
    }

    @Test(arguments: [
        "nonsense", "audit nonsense", "audit list --type Nothing", "audit list --since tomorrow",
        "audit list --after -1",
        "audit list --limit 0", "audit list --peer bob", "audit list --user a --peer b --room c",
        "audit list --format xml",
        "audit list --since 2026-01-02 --until 2026-01-01", "audit list --data", "replay --to 5",
        "replay --view nothing",
        "replay --verify --into x", "replay --to never --verify", "user add", "user add a/b", "user add Server",
        "user add a --username=", "bench fanout --subscribers 0", "bench fanout --messages 0",
        "bench fanout --bytes 23",
        "bench fanout --senders 3 --messages 10", "bench fanout --subscribers many",
    ])
    func `what makes no sense ends with 2`(line: String) {
        let error = #expect(throws: (any Error).self) {
            _ = try Root.parseAsRoot(line.split(separator: " ").map(String.init))
        }
        guard let error else { return }
        let ending = CommandLineEntry.ending(for: error, root: Root.self)
        #expect(ending.status == .usage)
        #expect(!ending.text.isEmpty)
    }

    @Test(arguments: [
        "--help", "audit list --help", "replay --help", "user add --help", "bench fanout --help", "help audit",
    ])
    func `help is no failure`(line: String) {
        let error = #expect(throws: (any Error).self) {
            var command = try Root.parseAsRoot(line.split(separator: " ").map(String.init))
            try command.run()
        }
        guard let error else { return }
        let ending = CommandLineEntry.ending(for: error, root: Root.self)
        #expect(ending.status == .success)
        #expect(ending.text.contains("USAGE"))
        for text in ending.text.split(separator: "\n") where text.hasPrefix("  quipu ") {
            #expect(text.count <= 80, "an example that the help text breaks: \(text)")
        }
    }

    @Test func `a failure has a sentence and its own exit code`() {
        let failed = CommandLineEntry.ending(for: CommandFailure("it \u{1B}broke"), root: Root.self)
        #expect(failed == ("quipu: it \\u{1B}broke", .failure))
        let wrong = CommandLineEntry.ending(for: CommandFailure("one\ntwo", status: .usage), root: Root.self)
        #expect(wrong == ("quipu: one\nquipu: two", .usage))
        let cancelled = CommandLineEntry.ending(for: CancellationError(), root: Root.self)
        #expect(cancelled == ("quipu: interrupted", .failure))
    }

    @Test func `a wrong configuration ends with 2`() {
        let error = SettingsError(problems: [.init(code: .unknownKey, message: "no such key")])
        #expect(CommandLineEntry.ending(for: error, root: Root.self) == ("quipu: no such key", .usage))
    }
}
