import Foundation

/// Asks on the terminal whether to do what can't be undone.
///
/// A script has nobody to ask: it goes on, as with `--yes`.
struct Confirmation {
    var input = FileHandle.standardInput
    var isTerminal = isatty(0) == 1

    private static let lineByteCount = 4096

    /// - Parameters:
    ///   - question: What is going to happen, in whole sentences.
    ///   - answer: What must be typed to go on.
    /// - Throws: ``CommandFailure`` if something else is.
    func require(_ answer: String, to question: @autoclosure () throws -> String) throws {
        guard isTerminal else { return }
        let text = "\(try question()) It can't be undone. Type \(TerminalText.escape(answer)) to go on: "
        try FileHandle.standardError.write(contentsOf: Data(text.utf8))
        guard try line() == Array(answer.utf8) else { throw CommandFailure("nothing was erased") }
    }

    private func line() throws -> [UInt8] {
        var line: [UInt8] = []
        while line.count < Self.lineByteCount, let byte = try input.read(upToCount: 1)?.first {
            if byte == UInt8(ascii: "\n") { break }
            line.append(byte)
        }
        return line
    }
}
