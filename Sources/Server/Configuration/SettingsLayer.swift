import Configuration
import Foundation

/// What one source (the file, the environment, the command line) says, checked key by key against the table.
struct SettingsLayer {
    let name: String
    private(set) var values: [AbsoluteConfigKey: ConfigValue] = [:]
    private(set) var problems: [SettingsError.Problem] = []
    private(set) var warnings: [String] = []

    init(name: String) {
        self.name = name
    }

    /// Takes the variables that begin with `QUIPU_`; one that is no key's is a problem, for it is a slip of the pen.
    init(environment: [String: String]) {
        self.init(name: "environment")
        let settings = Dictionary(uniqueKeysWithValues: Setting.all.map { ($0.environmentName, $0) })
        let ours = environment.filter { $0.key.hasPrefix(Setting.environmentPrefix) }
        for (name, text) in ours.sorted(by: { $0.key < $1.key }) {
            guard let setting = settings[name] else {
                addUnknown("variable \(name)", nearest: Self.nearestVariable(to: name), among: "variables")
                continue
            }
            add(setting) { () throws(SettingsError.Problem) in try setting.value(of: text, source: name) }
        }
    }

    /// Reads a file of at most 1 MiB.
    ///
    /// - Throws: ``SettingsError`` if it can't be read or is no JSON object, or is missing and may not be.
    init(file: String, mayBeMissing: Bool) throws(SettingsError) {
        self.init(name: file)
        guard let data = try Self.read(file, mayBeMissing: mayBeMissing) else { return }
        do throws(JSONReader.Failure) {
            guard case .object(let sections) = try JSONReader.read(Array(data)) else {
                throw JSONReader.Failure(message: "not an object, which begins with {", line: 1, column: 1)
            }
            for (section, node) in sections.sorted(by: { $0.key < $1.key }) {
                addSection(section, node)
            }
        } catch {
            throw .file(
                "\(file): not the JSON of a configuration: line \(error.line), column \(error.column): "
                    + "\(error.message). docs/configuration.md shows how it should look."
            )
        }
    }

    /// Adds what `source` says of a key of the table, if it says anything.
    mutating func add(_ key: String, _ node: JSONNode?, source: String) {
        guard let node, let setting = Setting.all.first(where: { $0.name == key }) else { return }
        add(setting) { () throws(SettingsError.Problem) in try setting.value(of: node, source: source) }
    }

    private mutating func add(_ setting: Setting, _ value: () throws(SettingsError.Problem) -> ConfigValue) {
        do {
            values[AbsoluteConfigKey([setting.section, setting.key])] = try value()
        } catch {
            problems.append(error)
        }
    }

    private mutating func addSection(_ section: String, _ node: JSONNode) {
        if section == "mysql" {
            warnings.append(
                "\(name): the section \"mysql\" is ignored: the messages are kept in the data folder, not in MySQL."
            )
            return
        }
        guard let first = Setting.all.first(where: { $0.section == section }) else {
            addUnknownSection(section, node)
            return
        }
        guard case .object(let keys) = node else {
            // Without what it is instead, which may be a secret in the wrong place.
            let message = "\(name): \"\(section)\" must be an object of keys, such as {\"\(first.key)\": …}."
            problems.append(.init(code: .wrongValue, message: message))
            return
        }
        for (key, node) in keys.sorted(by: { $0.key < $1.key }) {
            let full = section + "." + key
            guard let setting = Setting.all.first(where: { $0.name == full }) else {
                let nearest = Self.nearestKey(to: full, among: Setting.all.map(\.name))
                addUnknown("key \(full.shownAsJSON)", nearest: nearest)
                continue
            }
            add(setting) { [name] () throws(SettingsError.Problem) in try setting.value(of: node, source: name) }
        }
    }

    private mutating func addUnknownSection(_ section: String, _ node: JSONNode) {
        var known = Setting.sections
        if let setting = Setting.all.first(where: { $0.name == section }) {
            let message =
                "\(name): unknown key \"\(section)\"; write {\"\(setting.section)\": {\"\(setting.key)\": …}}."
            problems.append(.init(code: .unknownKey, message: message))
            return
        }
        if case .object = node {} else { known = Setting.all.map(\.name) }
        addUnknown("key \(section.shownAsJSON)", nearest: Self.nearestKey(to: section, among: known))
    }

    private mutating func addUnknown(_ what: String, nearest: String, among all: String = "keys") {
        let message = "\(name): unknown \(what); did you mean \(nearest)? docs/configuration.md lists all \(all)."
        problems.append(.init(code: .unknownKey, message: message))
    }

    private static func nearestVariable(to name: String) -> String {
        // Compared as keys, so that a variable without its section, or with the wrong one, finds the key as well.
        let asKey = name.dropFirst(Setting.environmentPrefix.count).lowercased()
            .replacing("_", with: ".", maxReplacements: 1)
        let nearest = NearestName.find(asKey, among: Setting.all.map(\.name))
        return Setting.all.first { $0.name == nearest }?.environmentName ?? ""
    }

    private static func nearestKey(to name: String, among known: [String]) -> String {
        (NearestName.find(name, among: known) ?? "").shownAsJSON
    }

    private static func read(_ file: String, mayBeMissing: Bool) throws(SettingsError) -> Data? {
        let mostBytes = 1_048_576
        do {
            let data = try Data(contentsOf: URL(fileURLWithPath: file))
            guard data.count <= mostBytes else {
                throw SettingsError.file("\(file): \(data.count.grouped) bytes; at most \(mostBytes.grouped) are read.")
            }
            return data
        } catch let error as SettingsError {
            throw error
        } catch CocoaError.fileReadNoSuchFile {
            guard !mayBeMissing else { return nil }
            throw .file("\(file): there is no such file. Make it, name another by --config, or leave --config out.")
        } catch CocoaError.fileReadNoPermission {
            throw .file("\(file): this user may not read it. Change its mode (chmod) or owner, or name another file.")
        } catch {
            throw .file("\(file): it can't be read (\(error.localizedDescription)). Name a readable file by --config.")
        }
    }
}

extension SettingsError {
    fileprivate static func file(_ message: String) -> SettingsError {
        SettingsError(problems: [.init(code: .file, message: message)])
    }
}
