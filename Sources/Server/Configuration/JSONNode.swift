/// A JSON document as it is written: what is a number, a flag or a string stays so.
///
/// swift-configuration's own JSON reader takes `true` for 1 and `{"a.b":1}` for `{"a":{"b":1}}`, refuses arrays of
/// objects (the seeds' `mysql` section may hold any), and doesn't tell which keys there are.
enum JSONNode: Equatable {
    case null
    case flag(Bool)
    case integer(Int)
    /// A number that is no `Int`.
    case number(Double)
    case text(String)
    case list([JSONNode])
    case object([String: JSONNode])
}

extension JSONNode: CustomStringConvertible {
    /// How an error shows it: scalars as JSON, the others by kind.
    var description: String {
        switch self {
        case .null: "null"
        case .flag(let flag): "\(flag)"
        case .integer(let integer): "\(integer)"
        case .number(let number): "\(number)"
        case .text(let text): text.shownAsJSON
        case .list(let list): "[" + list.map(\.description).joined(separator: ", ") + "]"
        case .object: "an object"
        }
    }
}

extension String {
    /// In quotes, without control characters, cut after 100 characters.
    var shownAsJSON: String {
        let shown = prefix(100).map { character in
            character.unicodeScalars.contains { $0.properties.generalCategory == .control } ? "\u{FFFD}" : character
        }
        return "\"" + String(shown) + (shown.count < count ? "…" : "") + "\""
    }
}
