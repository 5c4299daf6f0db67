import ArgumentParser
import Foundation

/// Parses a command line, runs the command, and turns whatever comes of it into words and an exit code: 0 done, 1 not
/// done, 2 asked for wrongly.
enum CommandLineEntry {
    /// Runs the command that `arguments` (without the program's name; nil: the process's own) call for.
    ///
    /// - Returns: The exit code.
    static func run(_ root: any AsyncParsableCommand.Type, arguments: [String]? = nil) async -> Int32 {
        do {
            var command = try root.parseAsRoot(arguments)
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
            return 0
        } catch let code as ExitCode {
            return code.rawValue
        } catch {
            let ending = ending(for: error, root: root)
            if !ending.text.isEmpty {
                let file = ending.status == .success ? FileHandle.standardOutput : FileHandle.standardError
                try? file.write(contentsOf: Data((ending.text + "\n").utf8))
            }
            return ending.status.rawValue
        }
    }

    /// What is printed last, and the exit code.
    static func ending(
        for error: any Error,
        root: any AsyncParsableCommand.Type
    ) -> (text: String, status: CommandFailure.Status) {
        let code = root.exitCode(for: error)
        // The parser's own errors (and --help, which is one to it) know best how to show themselves.
        if code == .success { return (root.fullMessage(for: error), .success) }
        if code == .validationFailure { return (root.fullMessage(for: error), .usage) }
        let failure = CommandFailure(error)
        let lines = failure.message.split(separator: "\n").map { "quipu: " + TerminalText.escape(String($0)) }
        return (lines.joined(separator: "\n"), failure.status)
    }
}
