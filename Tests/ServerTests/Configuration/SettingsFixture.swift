import Foundation

@testable import Server

/// Loads settings from a text as if it stood in a file of its own.
func load(
    _ json: String,
    environment: [String: String] = [:],
    overrides: Settings.Overrides = .init()
) async throws -> (settings: Settings, warnings: [String]) {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: "some.json")
    try Data(json.utf8).write(to: file)
    return try await Settings.load(file: file.path, environment: environment, overrides: overrides)
}

/// What ``load(_:environment:overrides:)`` complains of, each with the folder left out of its text; `[]` if nothing.
func problems(
    _ json: String,
    environment: [String: String] = [:],
    overrides: Settings.Overrides = .init()
) async throws -> [SettingsError.Problem] {
    do {
        _ = try await load(json, environment: environment, overrides: overrides)
        return []
    } catch let error as SettingsError {
        return error.problems.map { problem in
            var problem = problem
            if let file = problem.message.firstRange(of: "some.json") {
                let before = problem.message[..<file.lowerBound]
                problem.message.removeSubrange((before.lastIndex(of: " ") ?? before.startIndex)..<file.lowerBound)
            }
            return problem
        }
    }
}

extension SettingsLayer {
    /// The defaults with what this layer says, whether or not it is in conflict.
    var settings: Settings { Settings(layers: [self]) }
}

/// The folder that holds `Package.swift`.
let packageFolder = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
