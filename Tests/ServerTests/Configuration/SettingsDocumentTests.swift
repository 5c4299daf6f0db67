import Foundation
import Testing

@testable import Server

/// The documentation is the table of keys, word for word.
@Suite struct SettingsDocumentTests {
    @Test func `the page says what the table says`() throws {
        let page = packageFolder.appending(path: "docs/configuration.md")
        if ProcessInfo.processInfo.environment["UPDATE_DOCS"] == "1" {
            try SettingsDocument.markdown.write(to: page, atomically: true, encoding: .utf8)
        }
        let text = try String(contentsOf: page, encoding: .utf8)
        #expect(
            text == SettingsDocument.markdown,
            "docs/configuration.md is out of date: UPDATE_DOCS=1 swift test --filter SettingsDocumentTests"
        )
    }

    @Test(arguments: Setting.all.map(\.name))
    func `every key has one row, of four cells, and a sentence`(name: String) throws {
        let rows = SettingsDocument.markdown.split(separator: "\n").filter { $0.hasPrefix("| `\(name)` |") }
        #expect(rows.count == 1)
        #expect(try #require(rows.first).count { $0 == "|" } == 5)
        let setting = try #require(Setting.all.first { $0.name == name })
        #expect(setting.summary.hasSuffix("."))
    }

    @Test func `numbers are grouped by thousands`() {
        let texts = [0, 9, 999, 1_000, 12_345, 1_048_576, -1_000, Int.min].map(\.grouped)
        #expect(texts == ["0", "9", "999", "1,000", "12,345", "1,048,576", "-1,000", "-9,223,372,036,854,775,808"])
    }
}
