import Testing

/// Pages that nobody links and links that lead nowhere are found; the rest is left alone.
@Suite struct DocumentLinksTests {
    @Test func `a page without a link to it is found`() {
        #expect(findings(["README.md": "# A", "docs/a.md": "x"]) == ["docs/a.md:1"])
        #expect(findings(["README.md": "# A", "docs/a.md": "see [me](a.md)"]) == ["docs/a.md:1"])
        #expect(findings(["README.md": "# A", "docs/picture.svg": "x"]) == ["docs/picture.svg:1"])
    }

    @Test func `a link from the README or another page will do, from its own folder`() {
        let pages = [
            "README.md": "[a](docs/a.md#part) and [b](./docs/b.md \"title\")",
            "docs/a.md": "[decision](decisions/1.md)",
            "docs/b.md": "x",
            "docs/decisions/1.md": "[c](../c.md), [web](https://a.example/x.md), [part](#part)",
            "docs/c.md": "[top](/docs/a.md)",
        ]
        #expect(findings(pages) == [])
    }

    @Test func `a link to a page that isn't there is found at its line`() {
        #expect(findings(["README.md": "# A\n\n[a](docs/a.md)"]) == ["README.md:3"])
    }

    private func findings(_ pages: [String: String]) -> [String] {
        let files = pages.sorted { $0.key < $1.key }.map { SourceFile(path: $0.key, text: $0.value) }
        return DocumentLinks.findings(in: files).map { "\($0.path):\($0.line)" }
    }
}
