/// Why the settings can't be used: each problem with the key, the value, the place where it stands and the remedy.
///
/// All problems of a file are told at once, so that mending it takes one round. No text shows a secret's value.
struct SettingsError: Error, Equatable, CustomStringConvertible {
    enum Code: Sendable, Equatable {
        /// The file is not there, can't be read, or isn't a JSON object.
        case file
        case unknownKey
        /// The wrong type, or outside the range.
        case wrongValue
        /// Each value is right by itself, together they can't be.
        case conflict
    }

    struct Problem: Error, Sendable, Equatable {
        var code: Code
        var message: String
    }

    /// At least one, in the order of the sources, then of the keys.
    var problems: [Problem]

    var description: String {
        problems.map(\.message).joined(separator: "\n")
    }
}
