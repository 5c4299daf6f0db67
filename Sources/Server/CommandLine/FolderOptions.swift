import ArgumentParser
import Foundation

/// Which data folder, and the settings that go with it: what all commands but `serve` share.
struct FolderOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The data folder (default: server.data of the configuration, data).", valueName: "dir"))
    var data: String?

    @Option(help: ArgumentHelp("The configuration (default: config.json, if it is there).", valueName: "file"))
    var config: String?

    /// - Throws: ``SettingsError``.
    func load() async throws -> (folder: DataFolder, settings: Settings) {
        // These commands serve nobody, so what would be insecure to serve is no concern of theirs.
        let overrides = Settings.Overrides(data: data, insecure: true)
        let environment = ProcessInfo.processInfo.environment
        let (settings, _) = try await Settings.load(file: config, environment: environment, overrides: overrides)
        return (DataFolder(settings.server.data), settings)
    }
}
