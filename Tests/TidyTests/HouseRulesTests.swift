import Testing

/// Each rule against something that breaks it and something near that doesn't: a rule that can't fail guards nothing.
@Suite struct HouseRulesTests {
    /// Put together here, so that no line of this file breaks a rule.
    private static let word = "un" + "safe"
    private static let wide = String(repeating: "x", count: 118)

    @Test(arguments: [
        ("Sources/Server/A.swift", "import LMDB", true),
        ("Sources/Server/A.swift", "import CLMDB", true),
        ("Sources/Server/A.swift", "import COpenSSL", true),
        ("Sources/Server/A.swift", "import Cryptography", false),
        ("Sources/Server/A.swift", "import struct NIOCore.ByteBuffer", false),
        ("Sources/Server/A.swift", "import NIOEmbedded", true),
        ("Sources/Server/Deep/Down/A.swift", "package import LMDB", true),
        ("Sources/Broker/A.swift", "import Projections", true),
        ("Sources/Broker/A.swift", "import Server", true),
        ("Sources/Broker/A.swift", "@preconcurrency import NIOCore", true),
        ("Sources/Broker/A.swift", "import Hummingbird", true),
        ("Sources/Broker/A.swift", "package import LMDB", false),
        ("Sources/Broker/A.swift", "import CLMDB", true),
        ("Sources/Broker/A.swift", "internal import SwiftProtobuf", false),
        ("Sources/Projections/A.swift", "import Server", true),
        ("Sources/Projections/A.swift", "import NIOCore", true),
        ("Sources/Projections/A.swift", "import class Broker.EventLog", false),
        ("Sources/Projections/A.swift", "import Synchronization", false),
        ("Sources/LMDB/A.swift", "import CLMDB", false),
        ("Sources/LMDB/A.swift", "import Broker", true),
        ("Sources/LMDB/A.swift", "import Cryptography", true),
        ("Sources/Cryptography/A.swift", "import COpenSSL", false),
        ("Sources/Cryptography/A.swift", "@_spi(X) import LMDB", true),
        ("Sources/Elsewhere/A.swift", "import Foundation", true),
        ("Sources/Server/A.swift", "// import LMDB", false),
        ("Sources/Server/A.swift", "let text = \"import LMDB\"", false),
        ("Tests/BrokerTests/A.swift", "import XCTest", true),
        ("Tests/LMDBTests/A.swift", "import CLMDB", true),
        ("Tests/BrokerTests/A.swift", "@testable import Broker", false),
        ("Package.swift", "import PackageDescription", false),
    ])
    func `a target imports only what the graph allows`(path: String, line: String, isFound: Bool) {
        expect(Architecture.findings(in:), path, line, isFound)
    }

    @Test(arguments: [
        ("Sources/Server/A.swift", "let a = \(word) b", true),
        ("Sources/Server/A.swift", "nonisolated(\(word)) var a = 1", true),
        ("Sources/Server/A.swift", "a.withUn\("safe")Bytes { }", true),
        ("Sources/Broker/A.swift", "var a: Un\("safe")RawPointer", true),
        ("Sources/Broker/A.swift", "f(\"\\(\(word) b)\")", true),
        ("Tests/LMDBTests/A.swift", "\(word) a()", true),
        ("Sources/LMDB/A.swift", "\(word) a()", false),
        ("Sources/LMDBExtras/A.swift", "\(word) a()", true),
        ("Sources/Cryptography/A.swift", "\(word) a()", false),
        ("Sources/Server/A.swift", "// \(word)", false),
        ("Sources/Server/A.swift", "let a = \"\(word)\"", false),
        ("Sources/Server/A.swift", "@Test func `\(word) things`() {}", false),
        ("Sources/Broker/A.pb.swift", "\(word) a()", false),
    ])
    func `pointers stay in the wrappers`(path: String, line: String, isFound: Bool) {
        expect(HouseRules.pointers(in:), path, line, isFound)
    }

    @Test(arguments: [
        ("Sources/Server/A.swift", "// FIX\("ME") later", true),
        ("Sources/Server/A.swift", "let a = \"TO\("DO")\"", true),
        ("docs/a.md", "X\("XX")", true),
        ("Tests/Integration/a.py", "# TO\("DO")(me): this", true),
        ("Sources/Server/A.swift", "// TO\("DO")S are a list", false),
        ("Sources/Server/A.swift", "let to\("do") = 1", false),
        ("Sources/Broker/A.pb.swift", "// TO\("DO")", false),
    ])
    func `nothing is left for later`(path: String, line: String, isFound: Bool) {
        expect(HouseRules.loose(in:), path, line, isFound)
    }

    @Test(arguments: [
        ("Sources/Server/A.swift", "struct A {}", 1),
        ("Sources/Server/A.swift", "import Foundation\n\nstruct A {}\n// too late", 3),
        ("Sources/Server/A.swift", "@Suite struct A {}", 1),
        ("Sources/Server/A.swift", "import Foundation\n\n/// A.\nstruct A {}", 0),
        ("Sources/Server/A.swift", "#if os(Linux)\nimport Glibc\n#endif\n// A.\nlet a = 1", 0),
        ("Sources/Server/A.swift", "public import Foundation\n/* A. */\nlet a = 1", 0),
        ("Sources/Broker/A.pb.swift", "struct A {}", 0),
        ("Sources/Server/A+B.swift", "extension A {\n    /// B.\n    func b() {}", 0),
        ("Sources/Server/A+B.swift", "extension A {\n    func b() {}", 2),
        ("Tests/ServerTests/ATests.swift", "@Suite struct ATests {}", 0),
        ("Tests/Integration/a.py", "#!/usr/bin/env python3\nimport os\nx = 1", 3),
        ("Tests/Integration/a.py", "#!/usr/bin/env python3\n\"\"\"A.\"\"\"", 0),
        ("Tests/Integration/a.py", "# A.\nx = 1", 0),
        ("Sources/C/a.h", "#pragma once\nint a;", 2),
        ("Sources/C/a.h", "// A.\n#pragma once\nint a;", 0),
        ("docs/a.md", "text", 0),
    ])
    func `a file says what it is for before its first declaration`(path: String, text: String, line: Int) {
        #expect(
            HouseRules.missingHeader(in: SourceFile(path: path, text: text)).map(\.line) == (line == 0 ? [] : [line])
        )
    }

    @Test(arguments: [
        ("A.swift", 400, false), ("A.swift", 401, true), ("A.pb.swift", 401, false), ("a.md", 401, false),
    ])
    func `400 lines are a file, 401 are two`(name: String, lines: Int, isFound: Bool) {
        let text = String(repeating: "x\n", count: lines)
        for text in [text, String(text.dropLast())] {
            let findings = HouseRules.tooLong(in: SourceFile(path: "Sources/Broker/\(name)", text: text))
            #expect(findings.map(\.line) == (isFound ? [401] : []))
            #expect(findings.allSatisfy { $0.message.hasPrefix("401 lines") })
        }
    }

    @Test(arguments: [
        ("Tests/BrokerTests/A.swift", "try await Task.sleep(for: .seconds(1))", true),
        ("Tests/BrokerTests/A.swift", "usleep(10)", true),
        ("Tests/BrokerTests/A.swift", "Thread.sleep(forTimeInterval: 1)", true),
        ("Tests/Integration/a.py", "    time.sleep(0.5)", true),
        ("Tests/Integration/a.py", "await asyncio.sleep(1)", true),
        ("Tests/Integration/a.py", "await asyncio.sleep(0)", false),
        ("Tests/Integration/a.py", "x = 1  # no sleep(1) here", false),
        ("Tests/BrokerTests/A.swift", "// no sleep here", false),
        ("Tests/BrokerTests/A.swift", "let sleepers = 1", false),
        ("Sources/Server/A.swift", "usleep(10)", false),
    ])
    func `no test sleeps`(path: String, line: String, isFound: Bool) {
        expect(HouseRules.sleeps(in:), path, line, isFound)
    }

    @Test(arguments: [
        ("let a = \"/ho\("me/anna/quipu")\"", true), ("cd /ro\("ot/x")", true), ("/Us\("ers/anna/x")", true),
        ("file:///wo\("rk/main")", true), ("# see /wo\("rk/main")/x", true), ("Tests/wo\("rk/x")", false),
        ("https://a.example/ho\("me/x")", false), ("${HOME}/wo\("rk/x")", false), ("/tmp/x", false),
        ("/ho\("me/")", false),
    ])
    func `no path leads to one machine's folders`(line: String, isFound: Bool) {
        for path in ["Sources/Server/A.swift", "docs/a.md", "Makefile"] {
            expect(HouseRules.machinePaths(in:), path, line, isFound)
        }
    }

    @Test(arguments: [
        ("Sources/Server/A.swift", "é\(wide)x", false), ("Sources/Server/A.swift", "é\(wide)xx", true),
        ("Makefile", "xx\(wide)x", true), (".ci/run", "xx\(wide)x", true), ("docs/a.md", "xx\(wide)x", false),
        ("Sources/Broker/A.pb.swift", "xx\(wide)x", false),
    ])
    func `120 columns are a line, 121 are two`(path: String, line: String, isFound: Bool) {
        expect(HouseRules.wideLines(in:), path, line, isFound)
    }

    @Test func `a finding names its place and what to do`() {
        let file = SourceFile(path: "Sources/Server/A.swift", text: "// A.\nimport LMDB\n")
        let texts = HouseRules.all.flatMap { $0(file) }.map(\.description)
        #expect(texts.count == 1)
        #expect(
            texts.allSatisfy { $0.hasPrefix("Sources/Server/A.swift:2: Server may not import LMDB; move the code") }
        )
    }

    /// The rule finds something in the last of three lines, or nothing at all.
    private func expect(
        _ rule: (SourceFile) -> [Finding],
        _ path: String,
        _ line: String,
        _ isFound: Bool,
        at location: SourceLocation = #_sourceLocation
    ) {
        let findings = rule(SourceFile(path: path, text: "// First\n\n\(line)"))
        #expect(findings.map(\.line) == (isFound ? [3] : []), "\(path): \(line)", sourceLocation: location)
    }
}
