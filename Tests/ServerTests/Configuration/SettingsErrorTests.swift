import Foundation
import Testing

@testable import Server

/// What is refused, and what the text says: the place, the key, the value, the remedy.
@Suite struct SettingsErrorTests {
    @Test(arguments: [
        (#"{"server":{"prot":1}}"#, "server.prot", "server.port"),
        (#"{"server":{"Port":1}}"#, "server.Port", "server.port"),
        (#"{"limits":{"port":1}}"#, "limits.port", "server.port"),
        (#"{"limits":{"content_byte":1}}"#, "limits.content_byte", "limits.content_bytes"),
        (#"{"limits":{"content_size":1}}"#, "limits.content_size", "limits.content_bytes"),
        (#"{"port":1}"#, "port", "server.port"),
        (#"{"jwt_key":"x"}"#, "jwt_key", "auth.jwt_key"),
        (#"{"sever":{"port":1}}"#, "sever", "server"),
        (#"{"loging":{}}"#, "loging", "logging"),
        (#"{"server":{"":1}}"#, "server.", "server.port"),
    ])
    func `an unknown key is refused and the nearest named`(json: String, key: String, nearest: String) async throws {
        let found = try await problems(json)
        #expect(found.map(\.code) == [.unknownKey])
        let message = try #require(found.first).message
        #expect(message.hasPrefix("some.json: unknown key \"\(key)\"; did you mean "))
        if key != "server." { #expect(message.contains("did you mean \"\(nearest)\"?")) }
    }

    @Test func `a key with its section before a dot is told how to be written`() async throws {
        let found = try await problems(#"{"server.port":1}"#)
        #expect(found.map(\.message) == [#"some.json: unknown key "server.port"; write {"server": {"port": …}}."#])
    }

    @Test(arguments: [
        ("QUIPU_SERVER_PROT", "QUIPU_SERVER_PORT"),
        ("QUIPU_PORT", "QUIPU_SERVER_PORT"),
        ("QUIPU_CONTENT_BYTES", "QUIPU_LIMITS_CONTENT_BYTES"),
        ("QUIPU_AUTH_JWTKEY", "QUIPU_AUTH_JWT_KEY"),
        ("QUIPU_server_port", "QUIPU_SERVER_PORT"),
    ])
    func `an unknown variable is refused and the nearest named`(name: String, nearest: String) async throws {
        let found = try await problems("{}", environment: [name: "not shown"])
        #expect(found.map(\.code) == [.unknownKey])
        let message = try #require(found.first).message
        #expect(message.hasPrefix("environment: unknown variable \(name); did you mean \(nearest)?"))
        #expect(!message.contains("not shown"))
    }

    @Test func `other programs' variables are none of ours`() async throws {
        #expect(try await problems("{}", environment: ["QUIPUS": "1", "quipu_x": "1", "PORT": "x"]) == [])
    }

    @Test(arguments: [
        (#"{"server":{"port":true}}"#, #""server.port" is true; it must be a whole number, 0 to 65,535."#),
        (#"{"server":{"port":80.5}}"#, #""server.port" is 80.5; it must be a whole number, 0 to 65,535."#),
        (#"{"server":{"port":"80a"}}"#, #""server.port" is "80a"; it must be a whole number, 0 to 65,535."#),
        (#"{"server":{"port":"+80"}}"#, #""server.port" is "+80"; it must be a whole number, 0 to 65,535."#),
        (#"{"server":{"port":" 80"}}"#, #""server.port" is " 80"; it must be a whole number, 0 to 65,535."#),
        (#"{"server":{"port":null}}"#, #""server.port" is null; it must be a whole number, 0 to 65,535."#),
        (#"{"server":{"port":[80]}}"#, #""server.port" is [80]; it must be a whole number, 0 to 65,535."#),
        (#"{"server":{"port":{}}}"#, #""server.port" is an object; it must be a whole number, 0 to 65,535."#),
        (
            #"{"limits":{"ref_bytes":"64"}}"#,
            #""limits.ref_bytes" is "64"; it must be a whole number of bytes, 1 to 64."#
        ),
        (
            #"{"limits":{"ref_bytes":99999999999999999999}}"#,
            #""limits.ref_bytes" is 1e+20; it must be a whole number of bytes, 1 to 64."#
        ),
        (#"{"auth":{"insecure":1}}"#, #""auth.insecure" is 1; it must be true or false."#),
        (#"{"auth":{"insecure":"true"}}"#, #""auth.insecure" is "true"; it must be true or false."#),
        (#"{"auth":{"mode":"Open"}}"#, #""auth.mode" is "Open"; it must be "required" or "open"."#),
        (#"{"server":{"data":""}}"#, #""server.data" is ""; it must be a text that is not empty."#),
        (#"{"server":{"address":7}}"#, #""server.address" is 7; it must be a text that is not empty."#),
        (
            #"{"server":{"trusted_proxies":["10.0.0.0/33"]}}"#,
            #""server.trusted_proxies" is ["10.0.0.0/33"]; "#
                + "it must be a list of IP addresses or blocks of them, such as 10.0.0.0/8."
        ),
        (
            #"{"server":{"allowed_origins":["https://a.example/"]}}"#,
            #""server.allowed_origins" is ["https://a.example/"]; "#
                + #"it must be a list of origins, each "*" or scheme://host[:port] without a path."#
        ),
        (
            #"{"server":{"allowed_origins":"*"}}"#,
            #""server.allowed_origins" is "*"; "#
                + #"it must be a list of origins, each "*" or scheme://host[:port] without a path."#
        ),
        (
            #"{"audit":{"auditors":["eve","a/b"]}}"#,
            #""audit.auditors" is ["eve", "a/b"]; it must be a list of names of accounts."#
        ),
        (#"{"server":8080}"#, #""server" must be an object of keys, such as {"address": …}."#),
    ])
    func `a wrong value is refused with what it must be`(json: String, message: String) async throws {
        #expect(try await problems(json) == [.init(code: .wrongValue, message: "some.json: \(message)")])
    }

    @Test func `a variable or option with a wrong value is named as the place`() async throws {
        let environment = ["QUIPU_SERVER_EVENT_LOOPS": "many"]
        let found = try await problems("{}", environment: environment, overrides: .init(port: 65_536))
        #expect(
            found.map(\.message) == [
                "--port: \"server.port\" is 65536; it must be a whole number, 0 to 65,535.",
                "QUIPU_SERVER_EVENT_LOOPS: \"server.event_loops\" is \"many\"; "
                    + "it must be a whole number of threads, 0 to 1,024.",
            ]
        )
    }

    @Test func `all that is wrong is told at once`() async throws {
        let json = #"{"server":{"prot":1,"port":-1},"limits":{"page_rows":0},"auht":{}}"#
        let found = try await problems(json, environment: ["QUIPU_X": "1"])
        #expect(found.map(\.code) == [.unknownKey, .unknownKey, .wrongValue, .wrongValue, .unknownKey])
        #expect(SettingsError(problems: found).description.split(separator: "\n").count == 5)
    }

    @Test(arguments: ["", "{", "[1]", "null", "{\"server\":{\"port\":1,}", "not json", "{} {}", "\"text\""])
    func `a file that is no JSON object is refused, with the place and the remedy`(text: String) async throws {
        let found = try await problems(text)
        #expect(found.map(\.code) == [.file])
        let message = try #require(found.first).message
        #expect(message.hasPrefix("some.json: not "))
        #expect(message.hasSuffix("docs/configuration.md shows how it should look."))
    }

    @Test func `a mistake in the JSON is told with its line`() async throws {
        let found = try await problems("{\n\"server\": {\n\"port\": 80a\n}\n}")
        #expect(try #require(found.first).message.contains("line 3, column 11: expected , or }."))
    }

    @Test func `a file named by somebody must be there and be a file`() async throws {
        let missing = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
        let ofMissing = await #expect(throws: SettingsError.self) {
            try await Settings.load(file: missing, environment: [:])
        }
        #expect(ofMissing?.problems.map(\.code) == [.file])
        #expect(ofMissing?.description.hasPrefix("\(missing): there is no such file. Make it") == true)

        let folder = FileManager.default.temporaryDirectory.path
        let ofFolder = await #expect(throws: SettingsError.self) {
            try await Settings.load(file: folder, environment: [:])
        }
        #expect(ofFolder?.problems.map(\.code) == [.file])
        #expect(ofFolder?.description.contains("Name a readable file by --config.") == true)
    }

    @Test func `the default file may be missing, but if it is there it counts`() throws {
        let missing = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
        #expect(try SettingsLayer(file: missing, mayBeMissing: true).settings == Settings())
        #expect(throws: SettingsError.self) {
            try SettingsLayer(file: FileManager.default.temporaryDirectory.path, mayBeMissing: true)
        }
    }

    @Test(arguments: [(1_048_576, true), (1_048_577, false)])
    func `a file of a mebibyte is read, a greater one is not`(bytes: Int, isRead: Bool) async throws {
        let found = try await problems("{" + String(repeating: " ", count: bytes - 2) + "}")
        #expect(found.isEmpty == isRead)
        #expect(isRead || found.map(\.code) == [.file])
    }
}
