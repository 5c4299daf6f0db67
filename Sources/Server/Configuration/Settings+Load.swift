import Configuration
import Foundation

// Where the settings come from: the layers, which of them wins, and the one entry.

extension Settings {
    /// Where the settings are looked for when nobody names a file.
    static let defaultFile = "config.json"

    /// Reads the settings: the command line goes over the environment, that over the file, that over the defaults.
    ///
    /// - Parameters:
    ///   - file: The file that somebody named, which must then be there; `nil` for ``defaultFile`` in the working
    ///     directory, if it is there.
    ///   - environment: All variables of the process; those that begin with `QUIPU_` count.
    ///   - overrides: What the command line says.
    /// - Returns: The settings, and what a person should be told of them, in whole sentences.
    /// - Throws: ``SettingsError`` with all that is wrong.
    static func load(
        file: String?,
        environment: [String: String],
        overrides: Overrides = Overrides()
    ) async throws -> (settings: Settings, warnings: [String]) {
        let layers = [
            overrides.layer,
            SettingsLayer(environment: environment),
            try SettingsLayer(file: file ?? defaultFile, mayBeMissing: file == nil),
        ]
        let problems = layers.flatMap(\.problems)
        guard problems.isEmpty else { throw SettingsError(problems: problems) }

        let settings = Settings(layers: layers)
        let conflicts = settings.conflicts
        guard conflicts.isEmpty else { throw SettingsError(problems: conflicts) }
        return (settings, layers.flatMap(\.warnings))
    }

    /// The values of `layers`, the first that has one for a key winning, over the defaults.
    init(layers: [SettingsLayer]) {
        self.init()
        let config = ConfigReader(providers: layers.map { InMemoryProvider(name: $0.name, values: $0.values) })
        for setting in Setting.all {
            setting.read(from: config, into: &self)
        }
    }
}

extension Settings.Overrides {
    fileprivate var layer: SettingsLayer {
        var layer = SettingsLayer(name: "command line")
        layer.add("server.data", data.map(JSONNode.text), source: "--data")
        layer.add("server.address", address.map(JSONNode.text), source: "--address")
        layer.add("server.port", port.map(JSONNode.integer), source: "--port")
        layer.add("auth.mode", (mode?.rawValue).map(JSONNode.text), source: "--auth")
        layer.add("auth.insecure", insecure ? .flag(true) : nil, source: "--insecure")
        return layer
    }
}
