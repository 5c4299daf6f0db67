import Broker
import Configuration

/// One key of the configuration: how it is called, what it may be, where its value goes, and what it is for.
///
/// ``all`` holds one of each; the decoding, the check for unknown keys, the error texts and the documentation go by
/// it and by nothing else.
struct Setting: Sendable {
    /// The section and the key in it, `limits.content_bytes`.
    let name: String
    let kind: Kind
    /// What it is for: one sentence, or a few, in Markdown.
    let summary: String
    /// What the documentation says of the default where the value alone doesn't.
    let defaultText: String?

    typealias Path<Value> = any WritableKeyPath<Settings, Value> & Sendable

    enum Kind: Sendable {
        /// A whole number in a range; `takesText`: in the file it may also be a string of digits.
        case integer(Path<Int>, ClosedRange<Int>, unit: String?, takesText: Bool)
        case flag(Path<Bool>)
        /// Any text but the empty one.
        case text(Path<String>)
        /// One of a few words.
        case choice(Choice)
        case origins(Path<[String]?>)
        case addresses(Path<[AddressBlock]>)
        case accounts(Path<[AccountName]>)
        /// Never printed; so many bytes of UTF-8 at least.
        case secret(Path<Secret?>, minBytes: Int)
    }

    /// A value of an enumeration, with its type left out.
    struct Choice: Sendable {
        let words: [String]
        let get: @Sendable (Settings) -> String
        let set: @Sendable (inout Settings, String) -> Void

        init<Value>(_ path: Path<Value>)
        where Value: RawRepresentable<String> & CaseIterable & Sendable {
            words = Value.allCases.map(\.rawValue)
            get = { $0[keyPath: path].rawValue }
            set = { settings, word in
                if let value = Value(rawValue: word) { settings[keyPath: path] = value }
            }
        }
    }

    /// `QUIPU_LIMITS_CONTENT_BYTES` for `limits.content_bytes`.
    var environmentName: String {
        Self.environmentPrefix + name.uppercased().replacing(".", with: "_")
    }

    static let environmentPrefix = "QUIPU_"

    var section: String { String(name.prefix { $0 != "." }) }
    var key: String { String(name.drop { $0 != "." }.dropFirst()) }

    var isSecret: Bool {
        if case .secret = kind { true } else { false }
    }

    /// Takes the value that the layers of `config` agree on, and leaves the default where none has one.
    ///
    /// The layers hold only values that ``value(of:)`` let through, so that nothing can fail here.
    func read(from config: ConfigReader, into settings: inout Settings) {
        let key = ConfigKey(name)
        switch kind {
        case .integer(let path, _, _, _):
            settings[keyPath: path] = config.int(forKey: key, default: settings[keyPath: path])
        case .flag(let path):
            settings[keyPath: path] = config.bool(forKey: key, default: settings[keyPath: path])
        case .text(let path):
            settings[keyPath: path] = config.string(forKey: key, default: settings[keyPath: path])
        case .choice(let choice):
            choice.set(&settings, config.string(forKey: key, default: choice.get(settings)))
        case .origins(let path):
            settings[keyPath: path] = config.stringArray(forKey: key) ?? settings[keyPath: path]
        case .addresses(let path):
            guard let texts = config.stringArray(forKey: key) else { return }
            settings[keyPath: path] = texts.compactMap(AddressBlock.init)
        case .accounts(let path):
            guard let texts = config.stringArray(forKey: key) else { return }
            settings[keyPath: path] = texts.compactMap { try? AccountName($0) }
        case .secret(let path, _):
            guard let text = config.string(forKey: key, isSecret: true) else { return }
            settings[keyPath: path] = Secret(bytes: Array(text.utf8))
        }
    }
}

extension Setting {
    static func integer(
        _ name: String,
        _ path: Path<Int>,
        _ range: ClosedRange<Int>,
        unit: String? = nil,
        takesText: Bool = false,
        _ summary: String
    ) -> Setting {
        Setting(
            name: name,
            kind: .integer(path, range, unit: unit, takesText: takesText),
            summary: summary,
            defaultText: nil
        )
    }

    static func other(_ name: String, _ kind: Kind, default defaultText: String? = nil, _ summary: String) -> Setting {
        Setting(name: name, kind: kind, summary: summary, defaultText: defaultText)
    }
}
