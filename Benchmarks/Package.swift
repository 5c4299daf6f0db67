// swift-tools-version: 6.2
import Foundation
import PackageDescription

// Micro-benchmarks: `make bench-micro` in the folder above. A package of their own, so that who builds the server needs
// nothing of what measures it.

// What is measured is `package` in its own package, whose name is that of its folder.
let name = URL(fileURLWithPath: Context.packageDirectory).deletingLastPathComponent().lastPathComponent.lowercased()
let inside: [SwiftSetting] = [.unsafeFlags(["-package-name", name])]
let plugin: [Target.PluginUsage] = [.plugin(name: "BenchmarkPlugin", package: "benchmark")]

let package = Package(
    name: "benchmarks",
    dependencies: [
        .package(name: "quipu", path: ".."),
        .package(url: "https://github.com/ordo-one/benchmark", exact: "1.38.1", traits: []),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
    ],
    targets: [
        .executableTarget(
            name: "LogBenchmarks",
            dependencies: [
                .product(name: "Benchmark", package: "benchmark"),
                .product(name: "Broker", package: "quipu"),
                .product(name: "Projections", package: "quipu"),
            ],
            path: "Benchmarks/LogBenchmarks",
            swiftSettings: inside,
            plugins: plugin
        ),
        // The server's own sources, by a link: nobody can import an executable, and here they may be seen from inside.
        .target(
            name: "ServerUnderTest",
            dependencies: [
                .product(name: "Broker", package: "quipu"),
                .product(name: "Projections", package: "quipu"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "JWTKit", package: "jwt-kit"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOWebSocket", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            path: "Sources/ServerUnderTest",
            exclude: ["Main.swift"],
            swiftSettings: [
                .unsafeFlags(["-package-name", name, "-enable-testing"]),
                .enableUpcomingFeature("ExistentialAny"),
                .enableUpcomingFeature("MemberImportVisibility"),
                .enableUpcomingFeature("InternalImportsByDefault"),
                .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
                .enableUpcomingFeature("InferIsolatedConformances"),
                .enableExperimentalFeature("Lifetimes"),
            ]
        ),
        .executableTarget(
            name: "ServerBenchmarks",
            dependencies: [
                "ServerUnderTest",
                .product(name: "Benchmark", package: "benchmark"),
                .product(name: "Broker", package: "quipu"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
            ],
            path: "Benchmarks/ServerBenchmarks",
            swiftSettings: inside + [.enableExperimentalFeature("Lifetimes")],
            plugins: plugin
        ),
    ]
)
