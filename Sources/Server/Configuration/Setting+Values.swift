import Broker
import Configuration

// From what a source says to a value that the key may have, or to the text of what is wrong with it.

extension Setting {
    /// What the file says, if this key may be that.
    ///
    /// - Throws: ``SettingsError/Problem`` naming `source`, the key, the value and what it must be.
    func value(of node: JSONNode, source: String) throws(SettingsError.Problem) -> ConfigValue {
        var content: ConfigContent?
        switch (kind, node) {
        case (.integer, .integer(let integer)):
            content = .int(integer)
        case (.integer(_, _, _, takesText: true), .text(let text)):
            content = Self.integer(text)
        case (.flag, .flag(let flag)):
            content = .bool(flag)
        case (.text, .text(let text)), (.choice, .text(let text)), (.secret, .text(let text)):
            content = .string(text)
        case (.origins, .list(let nodes)), (.addresses, .list(let nodes)), (.accounts, .list(let nodes)):
            let texts = nodes.compactMap { if case .text(let text) = $0 { text } else { nil } }
            if texts.count == nodes.count { content = .stringArray(texts) }
        default:
            break
        }
        return try checked(content, shown: node.description, source: source, requirement: requirement)
    }

    /// What an environment variable says; lists are separated by commas, and an empty text is an empty list.
    ///
    /// - Throws: ``SettingsError/Problem`` as for a node.
    func value(of text: String, source: String) throws(SettingsError.Problem) -> ConfigValue {
        let content: ConfigContent?
        var requirement = requirement
        switch kind {
        case .integer:
            content = Self.integer(text)
        case .flag:
            content = Bool(text).map(ConfigContent.bool)
        case .text, .choice, .secret:
            content = .string(text)
        case .origins, .addresses, .accounts:
            let texts = text.split(separator: ",", omittingEmptySubsequences: false).map { part in
                String(part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
            }
            content = .stringArray(text.isEmpty ? [] : texts)
            requirement += ", separated by commas"
        }
        return try checked(content, shown: text.shownAsJSON, source: source, requirement: requirement)
    }

    /// What this key may be, as a sentence on it ends: "a whole number of bytes, 1 to 72".
    var requirement: String {
        switch kind {
        case .integer(_, let range, let unit, _):
            "a whole number\(unit.map { " of \($0)" } ?? ""), "
                + "\(range.lowerBound.grouped) to \(range.upperBound.grouped)"
        case .flag: "true or false"
        case .text: "a text that is not empty"
        case .choice(let choice): choice.words.map(\.shownAsJSON).joined(separator: " or ")
        case .origins: "a list of origins, each \"*\" or scheme://host[:port] without a path"
        case .addresses: "a list of IP addresses or blocks of them, such as 10.0.0.0/8"
        case .accounts: "a list of names of accounts"
        case .secret(_, let minBytes): "a text of at least \(minBytes) bytes"
        }
    }

    private func checked(
        _ content: ConfigContent?,
        shown: String,
        source: String,
        requirement: String
    ) throws(SettingsError.Problem) -> ConfigValue {
        if let content, allows(content) { return ConfigValue(content, isSecret: isSecret) }
        // Not even a part of a secret: this text ends in logs.
        let shown = isSecret ? "not usable (its value is not shown)" : shown
        throw .init(code: .wrongValue, message: "\(source): \"\(name)\" is \(shown); it must be \(requirement).")
    }

    private func allows(_ content: ConfigContent) -> Bool {
        switch (kind, content) {
        case (.integer(_, let range, _, _), .int(let integer)): range.contains(integer)
        case (.flag, .bool): true
        case (.text, .string(let text)): !text.isEmpty && !text.utf8.contains(0)
        case (.choice(let choice), .string(let text)): choice.words.contains(text)
        case (.origins, .stringArray(let texts)): texts.allSatisfy(Self.isOrigin)
        case (.addresses, .stringArray(let texts)): texts.allSatisfy { AddressBlock($0) != nil }
        case (.accounts, .stringArray(let texts)): texts.allSatisfy { (try? AccountName($0)) != nil }
        case (.secret(_, let minBytes), .string(let text)): text.utf8.count >= minBytes
        default: false
        }
    }

    /// ASCII digits only, and a minus sign: `Int` alone would take `+1` too.
    private static func integer(_ text: String) -> ConfigContent? {
        text.hasPrefix("+") ? nil : Int(text).map(ConfigContent.int)
    }

    /// Whether a browser could send it as its Origin (RFC 6454, section 7), or it stands for all.
    private static func isOrigin(_ text: String) -> Bool {
        if text == "*" || text == "null" { return true }
        guard let colon = text.firstRange(of: "://") else { return false }
        let (scheme, host) = (text[..<colon.lowerBound], text[colon.upperBound...])
        return scheme.first?.isLetter == true && scheme.allSatisfy { isASCIIAlphanumeric($0) || "+-.".contains($0) }
            && !host.isEmpty && host.allSatisfy { isASCIIAlphanumeric($0) || "-._:[]".contains($0) }
    }

    private static func isASCIIAlphanumeric(_ character: Character) -> Bool {
        character.isASCII && (character.isLetter || character.isNumber)
    }
}

extension Int {
    /// With commas between the thousands, whatever the locale: 1,048,576.
    var grouped: String {
        let digits = Array(String(magnitude))
        let text = digits.enumerated().map { index, digit in
            index > 0 && (digits.count - index) % 3 == 0 ? ",\(digit)" : "\(digit)"
        }
        return (self < 0 ? "-" : "") + text.joined()
    }
}
