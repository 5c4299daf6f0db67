import Cryptography
import Foundation

/// Asks for a new password: on the terminal, twice and unseen, or on standard input.
struct PasswordPrompt {
    /// What a password must be.
    struct Policy: Equatable, Sendable {
        var minimumCharacters: Int
        var maximumBytes: Int

        init(_ limits: Settings.Limits) {
            minimumCharacters = limits.passwordMinCharacters
            maximumBytes = min(limits.passwordBytes, Password.maxBytes)
        }

        /// - Throws: ``CommandFailure`` that says what is wrong, never with the password.
        func check(_ password: [UInt8]) throws {
            guard !password.contains(0) else { throw Self.refusal("must not contain NUL") }
            guard password.count <= maximumBytes else {
                throw Self.refusal("may have \(maximumBytes) bytes of UTF-8 at most: bcrypt would ignore the rest")
            }
            // `String(validating:)` rather than decoding: what a repair made of it nobody could type again.
            guard let text = String(validating: password, as: UTF8.self) else {
                throw Self.refusal("must be UTF-8 text")
            }
            let minimum = max(1, minimumCharacters)
            guard text.count >= minimum else {
                throw Self.refusal("must have at least \(minimum) character\(minimum == 1 ? "" : "s")")
            }
        }

        private static func refusal(_ reason: String) -> CommandFailure {
            CommandFailure("the password \(reason)", status: .usage)
        }
    }

    let policy: Policy
    var input = FileHandle.standardInput

    /// More than any password; the rest of a longer line isn't read.
    private static let lineByteCount = 4096

    /// Asks on the terminal, without showing what is typed.
    ///
    /// - Throws: ``CommandFailure``, with the status `usage` if there is no terminal.
    func ask(for account: String) throws -> [UInt8] {
        guard isatty(input.fileDescriptor) == 1 else {
            throw CommandFailure(
                "standard input is no terminal to ask for a password on: give it with --password-stdin",
                status: .usage
            )
        }
        let password = try ask("Password for \(TerminalText.escape(account)): ")
        try policy.check(password)
        guard try ask("The same again: ") == password else { throw CommandFailure("the two passwords differ") }
        return password
    }

    /// Reads all of standard input: the password, with or without a line end.
    func read() throws -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < Self.lineByteCount, let data = try input.read(upToCount: Self.lineByteCount), !data.isEmpty
        {
            bytes += data
        }
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        guard !bytes.contains(UInt8(ascii: "\n")) else {
            throw CommandFailure(
                "standard input has several lines: give it the password and nothing else",
                status: .usage
            )
        }
        try policy.check(bytes)
        return bytes
    }

    private func ask(_ question: String) throws -> [UInt8] {
        try FileHandle.standardError.write(contentsOf: Data(question.utf8))
        return try TerminalEcho.withoutEcho(of: input.fileDescriptor) {
            var line: [UInt8] = []
            while line.count < Self.lineByteCount, let byte = try input.read(upToCount: 1)?.first {
                if byte == UInt8(ascii: "\n") { break }
                guard byte != TerminalEcho.interrupt else {
                    try FileHandle.standardError.write(contentsOf: Data("\n".utf8))
                    throw CommandFailure("interrupted")
                }
                line.append(byte)
            }
            return line
        }
    }
}
