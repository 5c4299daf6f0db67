import Testing

@testable import Server

/// The table of keys: complete, without doubles, and held to at both ends of every range.
@Suite struct SettingTests {
    @Test func `every field has its key, named after it and in the same order, and no key is without a field`() {
        let fields = Mirror(reflecting: Settings()).children.flatMap { section in
            Mirror(reflecting: section.value).children.map { "\(section.label ?? "").\(snakeCase($0.label ?? ""))" }
        }
        #expect(Setting.all.map(\.name).sorted() == fields.sorted())
    }

    @Test func `no two keys share a name or a variable`() {
        #expect(Set(Setting.all.map(\.name)).count == Setting.all.count)
        #expect(Set(Setting.all.map(\.environmentName)).count == Setting.all.count)
        #expect(Set(Setting.sections).count == Setting.sections.count)
    }

    @Test func `a variable is the key in capitals`() {
        let setting = Setting.all.first { $0.name == "limits.content_bytes" }
        #expect(setting?.environmentName == "QUIPU_LIMITS_CONTENT_BYTES")
    }

    @Test func `each key writes to a field of its own`() throws {
        var seen: [Settings] = [Settings()]
        for setting in Setting.all {
            let environment = [setting.environmentName: try #require(other(than: Settings(), setting))]
            // A value alone may be in conflict with another; what it was put into is what counts here.
            let layer = SettingsLayer(environment: environment)
            #expect(layer.problems == [])
            let settings = layer.settings
            #expect(!seen.contains(settings), "\(setting.name)")
            seen.append(settings)
        }
        #expect(seen.count == Setting.all.count + 1)
    }

    static let integers = Setting.all.compactMap { setting -> (name: String, range: ClosedRange<Int>)? in
        if case .integer(_, let range, _, _) = setting.kind { (setting.name, range) } else { nil }
    }

    @Test(arguments: integers)
    func `both ends of a range are in it, one past is not`(name: String, range: ClosedRange<Int>) throws {
        let setting = try #require(Setting.all.first { $0.name == name })
        guard case .integer(let path, _, let unit, _) = setting.kind else { return }
        #expect(range.contains(Settings()[keyPath: path]), "the default")
        for end in [range.lowerBound, range.upperBound] {
            let layer = SettingsLayer(environment: [setting.environmentName: "\(end)"])
            #expect(layer.problems == [])
            #expect(layer.settings[keyPath: path] == end)
        }
        for past in [range.lowerBound - 1, range.upperBound + 1] {
            let ofText = SettingsLayer(environment: [setting.environmentName: "\(past)"]).problems
            var ofNumber = SettingsLayer(name: "file")
            ofNumber.add(name, .integer(past), source: "file")
            for problem in [ofText.first, ofNumber.problems.first] {
                let message = try #require(problem).message
                #expect(problem?.code == .wrongValue)
                #expect(message.contains("\"\(name)\" is "))
                #expect(message.contains("\(past)"))
                #expect(message.contains("\(range.lowerBound.grouped) to \(range.upperBound.grouped)"))
                #expect(message.contains(unit ?? "a whole number"))
            }
        }
    }

    @Test(arguments: [
        ("limits.account_bytes", 64), ("limits.room_name_bytes", 64), ("limits.message_id_bytes", 64),
        ("limits.ref_bytes", 64), ("limits.password_bytes", 72), ("limits.page_rows", 10_000),
    ])
    func `what the wire or the format bounds can't be raised`(name: String, most: Int) {
        #expect(Self.integers.first { $0.name == name }?.range == 1...most)
    }

    /// A value that is not the default.
    private func other(than settings: Settings, _ setting: Setting) -> String? {
        switch setting.kind {
        case .integer(let path, let range, _, _):
            String(settings[keyPath: path] == range.upperBound ? range.lowerBound : range.upperBound)
        case .flag(let path): String(!settings[keyPath: path])
        case .text: "elsewhere"
        case .choice(let choice): choice.words.first { $0 != choice.get(settings) }
        case .origins: "https://chat.example"
        case .addresses: "192.0.2.1"
        case .accounts: "auditor"
        case .secret: String(repeating: "k", count: 32)
        }
    }

    private func snakeCase(_ name: String) -> String {
        name.map { $0.isUppercase ? "_\($0.lowercased())" : "\($0)" }.joined()
    }
}
