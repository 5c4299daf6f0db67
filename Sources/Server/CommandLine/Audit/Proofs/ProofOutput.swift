import ArgumentParser
import Foundation

/// Where a command puts the file that it has made for an auditor.
struct ProofOutput: ParsableArguments {
    @Option(help: ArgumentHelp("Write it to a new file, not to standard output.", valueName: "file"))
    var out: String?

    @Flag(help: "Print one JSON object, which holds the text of the file too.")
    var json = false

    /// Writes `bytes`, as they are unless JSON is asked for.
    ///
    /// - Parameters:
    ///   - what: What the file is, for people.
    ///   - object: What it is, for machines.
    /// - Throws: ``CommandFailure`` with the status `usage` if there is such a file already, or none can be written.
    func write(_ bytes: [UInt8], _ what: String, _ object: JSONObjectWriter) throws {
        if let out { try write(bytes, to: out) }
        try StandardOutput.print { output in
            if json {
                try output.write { $0.append(contentsOf: object.finished + [UInt8(ascii: "\n")]) }
            } else if let out {
                try output.line("\(TerminalText.escape(out)): \(what)")
            } else {
                try output.write { $0.append(contentsOf: bytes) }
            }
        }
    }

    /// Never over another file: it may be the checkpoint that somebody kept.
    private func write(_ bytes: [UInt8], to path: String) throws {
        do {
            try Data(bytes).write(to: URL(fileURLWithPath: path), options: .withoutOverwriting)
        } catch CocoaError.fileWriteFileExists {
            throw CommandFailure("there is a file \(path.shownAsJSON) already: name another", status: .usage)
        } catch {
            throw CommandFailure("\(path.shownAsJSON) can't be written: \(error.shortDescription)", status: .usage)
        }
    }
}
