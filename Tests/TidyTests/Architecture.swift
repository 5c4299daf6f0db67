/// Who may import whom: the target graph of `docs/architecture.md`, as a check.
///
/// SwiftPM's own check of target dependencies lets through what a dependency drags in.
enum Architecture {
    /// What every target may import.
    static let standard: Set<String> = [
        "Swift", "Foundation", "FoundationEssentials", "Synchronization", "Dispatch", "Glibc", "RegexBuilder",
    ]

    /// What a target may import besides; everything of ours that is not in its list is forbidden to it.
    static let allowed: [String: Set<String>] = [
        "LMDB": ["CLMDB"],
        "Cryptography": ["CChecksum", "COpenSSL", "CXCrypt"],
        "RawSockets": [],
        "Broker": ["Cryptography", "LMDB", "SwiftProtobuf"],
        "Projections": ["Broker", "Cryptography", "LMDB", "SwiftProtobuf"],
        "Server": [
            "Broker", "Projections", "Cryptography", "RawSockets", "ArgumentParser", "Configuration", "Crypto",
            "DequeModule",
            "HTTPTypes", "Hummingbird", "HummingbirdCore", "JWTKit", "Logging", "NIOConcurrencyHelpers", "NIOCore",
            "NIOFoundationCompat",
            "NIOHTTP1", "NIOHTTPTypes", "NIOHTTPTypesHTTP1", "NIOPosix", "NIOWebSocket", "ServiceLifecycle",
            "SystemPackage",
            "UnixSignals",
        ],
    ]

    /// Bindings to C libraries: one wrapper each, and no test, goes near them.
    private static let cModules: Set<String> = ["CLMDB", "CChecksum", "COpenSSL", "CXCrypt"]

    static func findings(in file: SourceFile) -> [Finding] {
        guard file.isSwift, !file.isGenerated else { return [] }
        return file.codeLines.enumerated().compactMap { index, line in
            imported(by: line).flatMap { complaint(about: $0, in: file) }
                .map { Finding(path: file.path, line: index + 1, message: $0) }
        }
    }

    private static func complaint(about module: String, in file: SourceFile) -> String? {
        switch file.components.first {
        case "Sources":
            let target = file.components.dropFirst().first ?? ""
            guard let allowed = allowed[target] else {
                return "target \(target) has no line in Architecture.allowed; add it with what it may import"
            }
            guard !allowed.contains(module), !standard.contains(module) else { return nil }
            return "\(target) may not import \(module); move the code to a target that may, or go through one, or "
                + "change the graph in docs/architecture.md and Architecture.allowed"
        case "Tests":
            if module == "XCTest" { return "tests are written with Swift Testing; import Testing instead" }
            return cModules.contains(module) ? "tests may not import \(module); go through its wrapper" : nil
        default:
            return nil
        }
    }

    /// `NIOCore` for `@preconcurrency package import struct NIOCore.ByteBuffer`; `nil` if the line imports nothing.
    static func imported(by line: some StringProtocol) -> String? {
        let words = line.words
        guard let keyword = words.firstIndex(of: "import") else { return nil }
        let before: Set<String> = [
            "testable", "preconcurrency", "_exported", "_implementationOnly", "_spi", "public", "package", "internal",
            "fileprivate", "private",
        ]
        let kinds: Set<String> = ["struct", "class", "enum", "protocol", "typealias", "func", "let", "var", "actor"]
        // `@_spi(Name)` has a name of its own there.
        guard words[..<keyword].allSatisfy({ before.contains($0) || words.first == "_spi" }) else { return nil }
        return words[words.index(after: keyword)...].drop { kinds.contains($0) }.first
    }
}
