import Foundation
import Testing

@testable import Server

struct PasswordPromptTests {
    private func policy(minimum: Int) -> PasswordPrompt.Policy {
        var limits = Settings.Limits()
        limits.passwordMinCharacters = minimum
        return PasswordPrompt.Policy(limits)
    }

    @Test(arguments: [
        ("", 1, "must have at least 1 character"),
        ("abc", 4, "must have at least 4 characters"),
        ("👩\u{200D}👩\u{200D}👧", 2, "must have at least 2 characters"),
        ("a\0b", 1, "must not contain NUL"),
        (
            String(repeating: "é", count: 36) + "x", 1,
            "may have 72 bytes of UTF-8 at most: bcrypt would ignore the rest"
        ),
    ])
    func `a password that can't be is refused`(password: String, minimum: Int, reason: String) {
        let failure = #expect(throws: CommandFailure.self) { try policy(minimum: minimum).check(Array(password.utf8)) }
        #expect(failure == CommandFailure("the password \(reason)", status: .usage))
    }

    @Test func `bytes that are no text are refused`() {
        #expect(throws: CommandFailure.self) { try policy(minimum: 1).check([0xFF, 0xFE]) }
    }

    @Test func `72 bytes are not too many, and no minimum lets none through`() throws {
        try policy(minimum: 72).check(Array(repeating: 0x61, count: 72))
        try policy(minimum: 1).check(Array(String(repeating: "é", count: 36).utf8))
        #expect(throws: CommandFailure.self) { try policy(minimum: 0).check([]) }
    }

    @Test(arguments: [("secret", "secret"), ("secret\n", "secret"), ("secret\r\n", "secret"), (" s p \n", " s p ")])
    func `standard input is the password, without the line's end`(input: String, password: String) throws {
        #expect(try prompt(Data(input.utf8)).read() == Array(password.utf8))
    }

    @Test(arguments: ["", "\n", "two\nlines", "two\n\n", String(repeating: "x", count: 10_000)])
    func `standard input that is no password is refused`(input: String) throws {
        let prompt = try prompt(Data(input.utf8))
        #expect(throws: CommandFailure.self) { try prompt.read() }
    }

    @Test func `nothing is asked where there is no terminal`() throws {
        let prompt = try prompt(Data("secret\nsecret\n".utf8))
        let failure = #expect(throws: CommandFailure.self) { try prompt.ask(for: "alice") }
        #expect(failure?.status == .usage)
        #expect(failure?.message.contains("--password-stdin") == true)
    }

    private func prompt(_ input: Data) throws -> PasswordPrompt {
        let pipe = Pipe()
        try pipe.fileHandleForWriting.write(contentsOf: input)
        try pipe.fileHandleForWriting.close()
        return PasswordPrompt(policy: policy(minimum: 1), input: pipe.fileHandleForReading)
    }
}
