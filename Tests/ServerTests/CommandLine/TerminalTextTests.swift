import Testing

@testable import Server

struct TerminalTextTests {
    @Test(arguments: [
        ("plain text", "plain text"),
        ("", ""),
        ("a\nb\r\tc", "a\\nb\\r\\tc"),
        ("C:\\n", "C:\\\\n"),
        ("\u{1B}[2J", "\\u{1B}[2J"),
        ("\u{0}\u{7F}\u{9B}", "\\u{0}\\u{7F}\\u{9B}"),
        ("abc\u{202E}cba\u{2066}", "abc\\u{202E}cba\\u{2066}"),
        ("line\u{2028}paragraph\u{2029}", "line\\u{2028}paragraph\\u{2029}"),
        ("\u{FEFF}bom", "\\u{FEFF}bom"),
        ("\u{E000}", "\\u{E000}"),
        ("你好 é e\u{301} 🙂", "你好 é e\u{301} 🙂"),
        ("👩\u{200D}👩\u{200D}👧", "👩\u{200D}👩\u{200D}👧"),
        ("🏴\u{E0067}\u{E0062}\u{E007F}", "🏴\u{E0067}\u{E0062}\u{E007F}"),
    ])
    func `nothing that a terminal obeys is left`(text: String, shown: String) {
        #expect(TerminalText.escape(text) == shown)
        #expect(Array(TerminalText.escape(text).utf8) == Array(shown.utf8))
    }

    @Test(arguments: [
        ("", 0), ("abc", 3), ("é", 1), ("你好", 4), ("한", 2), ("🙂", 2), ("👩\u{200D}👩\u{200D}👧", 2), ("e\u{301}", 1),
    ])
    func `columns are counted as a terminal does`(text: String, columns: Int) {
        #expect(TerminalText.columns(text) == columns)
    }

    @Test func `a padded text is followed by two spaces at least`() {
        #expect(TerminalText.pad("ab", to: 4) == "ab    ")
        #expect(TerminalText.pad("你好", to: 4) == "你好  ")
        #expect(TerminalText.pad("longer", to: 4) == "longer  ")
    }
}
