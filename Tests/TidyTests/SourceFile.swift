import Foundation

/// A text file of the repository, as the house rules look at it.
struct SourceFile {
    /// From the folder that holds `Package.swift`, `Sources/Broker/Log/Record.swift`.
    let path: String
    let lines: [Substring]
    /// The same lines, for Swift with comments, strings and quoted names blanked.
    let codeLines: [Substring]

    init(path: String, text: String) {
        self.path = path
        lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let code = path.hasSuffix(".swift") ? SwiftCode.blanked(text) : text
        codeLines = code.split(separator: "\n", omittingEmptySubsequences: false)
    }

    var fileExtension: String { (path as NSString).pathExtension }
    /// The folders above the file and its name.
    var components: [String] { path.split(separator: "/").map(String.init) }
    /// The target that it belongs to, with its kind before it: `Sources/Broker`.
    var target: String { components.prefix(2).joined(separator: "/") }
    /// Written by protoc, so nobody's style.
    var isGenerated: Bool { path.hasSuffix(".pb.swift") }
    /// Runs while the package is put together, and is no part of what is built.
    var isManifest: Bool { components.last == "Package.swift" }
    var isSwift: Bool { fileExtension == "swift" }
    /// Read by a compiler or an interpreter, with rules for its shape.
    var isCode: Bool { ["swift", "c", "h", "proto", "py", "sh"].contains(fileExtension) && !isGenerated }
}

/// What breaks a rule, where, and what to do about it.
struct Finding: Equatable, CustomStringConvertible {
    var path: String
    /// From 1.
    var line: Int
    var message: String

    var description: String { "\(path):\(line): \(message)" }
}

/// The files of the repository.
enum Repository {
    /// The folder that holds `Package.swift`.
    static let root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    static let files: [SourceFile] = {
        let folders = ["Sources", "Tests", "Benchmarks", "docs", ".ci"]
        let atTheTop = ["Package.swift", "Makefile", "README.md", "config.json"]
        let inFolders = folders.flatMap { folder in
            let found = FileManager.default.enumerator(atPath: root.appending(path: folder).path)
            return (found?.compactMap { $0 as? String } ?? []).map { folder + "/" + $0 }
        }
        return (atTheTop + inFolders.filter(isOurs).sorted()).compactMap { path in
            // What is no text (a golden log) is nobody's to read here.
            let text = try? String(contentsOf: root.appending(path: path), encoding: .utf8)
            return text.map { SourceFile(path: path, text: $0) }
        }
    }()

    /// Not what a build or an interpreter left behind.
    private static func isOurs(_ path: String) -> Bool {
        !path.split(separator: "/").dropFirst().contains { $0.hasPrefix(".") || $0 == "__pycache__" }
    }
}
