/// The page `docs/configuration.md`, made from the table of keys; a test holds the file equal to it.
enum SettingsDocument {
    static let markdown = ([introduction] + Setting.sections.map(table) + [ending]).joined(separator: "\n")

    private static func table(of section: String) -> String {
        let rows = Setting.all.filter { $0.section == section }.map { setting in
            "| `\(setting.name)` | \(setting.documentedDefault) | \(setting.documentedRange) | \(setting.summary) |\n"
        }
        let head = "| key | default | range, unit | what it is |\n| --- | --- | --- | --- |\n"
        return "## \(section)\n\n" + head + rows.joined()
    }

    private static let introduction = """
        # Configuration

        <!-- Made from the table of keys in Sources/Server/Configuration. After a change there:
        UPDATE_DOCS=1 swift test --filter SettingsDocumentTests -->

        A setting is taken from the first of these that has it:

        1. the command line: `--address`, `--port`, `--data`, `--auth`, `--insecure`;
        2. the environment: `QUIPU_`, then the key in capitals with `_` for the dot, so `QUIPU_SERVER_PORT` for
           `server.port`; a list is separated by commas;
        3. the file: `config.json` in the working directory, or the one that `--config` names. It is one JSON object of
           sections, as in `{"server":{"port":8080}}`;
        4. the defaults below. Without a `config.json` all of them hold.

        A key or a `QUIPU_` variable that doesn't exist, a value of the wrong type and one out of range are errors: the
        server says what is wrong, all of it at once, and doesn't start. The `config.json` that ships with Quipu sets
        `auth.mode` to `open` on 127.0.0.1, for trying things out; the default is `required`.

        """

    private static let ending = """
        ## Old files

        A section `mysql` is accepted, whatever it holds, and ignored with a warning; `server.address` and `server.port`
        mean what they meant there.

        """
}

extension Setting {
    fileprivate var documentedDefault: String {
        if let defaultText { return defaultText }
        let defaults = Settings()
        return switch kind {
        // As it would stand in the file.
        case .integer(let path, _, _, _): "`\(defaults[keyPath: path])`"
        case .flag(let path): "`\(defaults[keyPath: path])`"
        case .text(let path): "`\(defaults[keyPath: path].shownAsJSON)`"
        case .choice(let choice): "`\(choice.get(defaults).shownAsJSON)`"
        case .addresses(let path): "`\(defaults[keyPath: path].map(\.description))`"
        case .origins, .accounts, .secret: "none"
        }
    }

    fileprivate var documentedRange: String {
        switch kind {
        case .integer(_, let range, let unit, _):
            "\(range.lowerBound.documented) to \(range.upperBound.documented)\(unit.map { " \($0)" } ?? "")"
        case .flag: "`true`, `false`"
        case .text: "a text"
        case .choice(let choice): choice.words.map { "`\($0.shownAsJSON)`" }.joined(separator: ", ")
        case .origins, .addresses, .accounts: "a list of texts"
        case .secret(_, let minBytes): "a text of at least \(minBytes) bytes"
        }
    }
}

extension Int {
    /// Grouped; a round number of TiB as that.
    fileprivate var documented: String {
        self > 0 && self % (1 << 40) == 0 ? "\(self >> 40) TiB (\(grouped))" : grouped
    }
}
