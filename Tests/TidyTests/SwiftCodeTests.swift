import Testing

/// What counts as code: the rest must not trip a rule, and nothing that is code may hide from one.
@Suite struct SwiftCodeTests {
    @Test(arguments: [
        ("let a = 1", "let a = 1"),
        ("a // b", "a     "),
        ("a /* b /* c */ d */ e", "a                   e"),
        ("/* a\nb */ c", "    \n     c"),
        ("\"a\" b", "    b"),
        (#""a\"b" c"#, "       c"),
        (#""a\(b + "c")d" e"#, "    b +     e"),
        ("\"\"\"\na \"b\" c\n\"\"\" d", "   \n       \n    d"),
        (##"#"a"b\(c)"# d"##, "             d"),
        (##"#"a\#(b)c"# d"##, "      b     d"),
        ("\"a\nb", "  \nb"),
        ("`a b` c", "      c"),
        ("#/a\"b/# c", "         c"),
        ("\"\\\\\" a", "     a"),
        ("f(\"\\((1))\")", "f(   (1)  )"),
        ("\"// no comment\" a", "                a"),
        ("'\"'", "' "),
        ("\"", " "),
        ("/*", "  "),
    ])
    func `comments, texts and quoted names are blanked, the rest stays in its place`(text: String, code: String) {
        let blanked = SwiftCode.blanked(text)
        #expect(blanked.count == text.count)
        #expect(trimmed(blanked) == trimmed(code))
    }

    @Test func `lines keep their numbers`() {
        let text = "a\r\n/* b\nc */\n\"\"\"\nd\n\"\"\"\ne"
        #expect(SwiftCode.blanked(text).count { $0.isNewline } == text.count { $0.isNewline })
    }

    /// Runs of spaces as one: the table above is to be read, not counted.
    private func trimmed(_ text: String) -> [Substring] {
        text.split { $0 == " " }
    }
}
