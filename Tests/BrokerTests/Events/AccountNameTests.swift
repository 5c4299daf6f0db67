import Testing

@testable import Broker

/// What may be an account's name, and that names are their bytes.
@Suite struct AccountNameTests {
    @Test(arguments: [
        "a", "1", "Alice", "server", "Server2", "SERVER", " ", "a b", "é", "ñandú", "用戶", "사용자", "ユーザー", "пользователь",
        "مستخدم", "👩‍👩‍👧‍👦", "🇹🇼", "a-b", "a>b", "->".replacingOccurrences("-", "‐"), "-", ">", "a\\b", "a\"b", "\u{a0}",
        "\u{200d}",
        "\u{fffd}", "\u{10ffff}", "𝕏", String(repeating: "x", count: 64), String(repeating: "é", count: 32),
        String(repeating: "🙂", count: 16), String(repeating: "長", count: 21),
    ])
    func `these are names`(text: String) throws {
        let name = try AccountName(text)
        #expect(name.utf8 == Array(text.utf8))
        #expect(Array(name.text.utf8) == Array(text.utf8))
    }

    @Test(
        arguments: [
            ("", .empty),
            (String(repeating: "x", count: 65), .tooLong),
            (String(repeating: "é", count: 32) + "x", .tooLong),
            (String(repeating: "🙂", count: 16) + "x", .tooLong),
            (String(repeating: "長", count: 22), .tooLong),
            ("e\u{301}", .notNormalized),
            ("n\u{303}", .notNormalized),
            ("\u{1112}\u{1161}\u{11ab}", .notNormalized),
            ("\u{212b}", .notNormalized),
            ("\u{f900}", .notNormalized),
            ("\u{0}", .forbiddenCharacter),
            ("a\u{0}b", .forbiddenCharacter),
            ("a\nb", .forbiddenCharacter),
            ("a\tb", .forbiddenCharacter),
            ("a\r\nb", .forbiddenCharacter),
            ("\u{1b}", .forbiddenCharacter),
            ("\u{7f}", .forbiddenCharacter),
            ("\u{80}", .forbiddenCharacter),
            ("a\u{85}b", .forbiddenCharacter),
            ("\u{9f}", .forbiddenCharacter),
            ("/", .forbiddenCharacter),
            ("a/b", .forbiddenCharacter),
            ("->", .forbiddenCharacter),
            ("1->2", .forbiddenCharacter),
            ("a-->b", .forbiddenCharacter),
            ("Server", .reserved),
        ] as [(String, AccountName.Invalid)]
    )
    func `these are not, and it is said why`(text: String, reason: AccountName.Invalid) {
        #expect(throws: reason) { try AccountName(text) }
        #expect(!reason.description.isEmpty)
    }

    @Test func `every control character is forbidden, and nothing but them, the slash and what isn't NFC`() {
        for value in 0...0x2_ffff as ClosedRange<UInt32> {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let isRefused = (try? AccountName("a" + String(scalar))) == nil
            let isControl = scalar.properties.generalCategory == .control
            guard isRefused != (isControl || scalar == "/") else { continue }
            #expect(throws: AccountName.Invalid.notNormalized, "U+\(String(value, radix: 16))") {
                try AccountName("a" + String(scalar))
            }
        }
    }

    /// Swift's `String` calls both equal.
    @Test func `names are told apart by their bytes`() throws {
        let composed = AccountName(trusting: Array("\u{e9}".utf8))
        let decomposed = AccountName(trusting: Array("e\u{301}".utf8))
        #expect(composed.text == decomposed.text)
        #expect(composed != decomposed)
        #expect(Set([composed, decomposed]).count == 2)
    }
}

extension String {
    fileprivate func replacingOccurrences(_ old: Character, _ new: Character) -> String {
        String(map { $0 == old ? new : $0 })
    }
}
