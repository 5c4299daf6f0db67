// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "quipu",
    products: [
        .executable(name: "quipu", targets: ["Server"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0", traits: []),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
    ],
    targets: [
        .systemLibrary(name: "CLMDB", pkgConfig: "lmdb", providers: [.apt(["liblmdb-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CXCrypt", pkgConfig: "libxcrypt", providers: [.apt(["libcrypt-dev"])]),
        .target(name: "CChecksum"),

        .target(name: "LMDB", dependencies: ["CLMDB"]),
        .target(name: "RawSockets"),
        .target(name: "Cryptography", dependencies: ["CChecksum", "COpenSSL", "CXCrypt"]),
        .target(
            name: "Broker",
            dependencies: [
                "Cryptography",
                "LMDB",
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            exclude: ["Events/Payloads.proto"]
        ),
        .target(name: "Projections", dependencies: ["Broker", "Cryptography", "LMDB"]),
        .executableTarget(
            name: "Server",
            dependencies: [
                "Broker",
                "Projections",
                "Cryptography",
                "RawSockets",
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
            ]
        ),
        .testTarget(name: "TidyTests"),
        .testTarget(name: "LMDBTests", dependencies: ["LMDB"]),
        .testTarget(name: "CryptographyTests", dependencies: ["Cryptography"]),
        // SwiftProtobuf comes by way of Broker: named here, it would make SwiftPM build protoc, 260 files of C++.
        .testTarget(
            name: "BrokerTests",
            dependencies: ["Broker", "Cryptography", "LMDB"],
            exclude: ["Golden", "Vectors"]
        ),
        .testTarget(name: "ProjectionsTests", dependencies: ["Broker", "Cryptography", "Projections", "LMDB"]),
        .testTarget(
            name: "ServerTests",
            dependencies: [
                "Broker",
                "Projections",
                "Server",
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOCore", package: "swift-nio"),
            ]
        ),
    ]
)

// One set of rules for every target of ours: warnings are errors, and a pointer outside the two wrappers is a warning.
for target in package.targets where target.type != .system && target.name != "CChecksum" {
    target.swiftSettings = [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
        .enableUpcomingFeature("InferIsolatedConformances"),
        .enableExperimentalFeature("Lifetimes"),
        .strictMemorySafety(),
        .treatAllWarnings(as: .error),
    ]
}
