import Foundation
import Logging
import Testing

@testable import Server

/// What the sources say together, and which of them wins.
@Suite struct SettingsTests {
    @Test func `an empty object means the defaults`() async throws {
        let (settings, warnings) = try await load("{}")
        #expect(settings == Settings())
        #expect(warnings == [])
    }

    @Test func `a token is needed unless somebody says otherwise`() {
        #expect(Settings().auth.mode == .required)
        #expect(!Settings().auth.insecure)
    }

    @Test func `the defaults together are without conflict`() {
        #expect(Settings().conflicts == [])
    }

    @Test func `the command line goes over the environment and that over the file`() async throws {
        let file = #"{"server":{"port":1,"address":"127.0.0.2","data":"file"},"limits":{"unanswered":3}}"#
        let environment = ["QUIPU_SERVER_PORT": "2", "QUIPU_SERVER_ADDRESS": "127.0.0.3", "HOME": "/nowhere"]
        let (settings, _) = try await load(file, environment: environment, overrides: .init(port: 3))
        #expect(settings.server.port == 3)
        #expect(settings.server.address == "127.0.0.3")
        #expect(settings.server.data == "file")
        #expect(settings.limits.unanswered == 3)
        #expect(settings.server.drainSeconds == 5)
    }

    @Test func `every option of the command line reaches its setting`() async throws {
        let overrides = Settings.Overrides(data: "d", address: "0.0.0.0", port: 0, mode: .open, insecure: true)
        var expected = Settings()
        expected.server.data = "d"
        expected.server.address = "0.0.0.0"
        expected.server.port = 0
        expected.auth.mode = .open
        expected.auth.insecure = true
        #expect(try await load("{}", overrides: overrides).settings == expected)
    }

    @Test func `the command line can't undo a flag by saying nothing`() async throws {
        #expect(try await load(#"{"auth":{"insecure":true}}"#).settings.auth.insecure)
    }

    @Test(arguments: [
        (#"{"mysql":{"dsn":"root:1@tcp(db:3306)/chat"},"server":{"address":"127.0.0.1","port":":8000"}}"#, false),
        (#"{"mysql":{"dsn":"root:1@tcp(db:3306)/chat"},"server":{"address":"127.0.0.1","port":8000}}"#, true),
        (#"{"mysql":{"hosts":[{"a":[1,"b",null]}],"port":null},"server":{"address":"127.0.0.1","port":"8000"}}"#, true),
        (#"{"mysql":null,"server":{"port":"8000"}}"#, true),
    ])
    func `the seeds' files work, with a warning`(json: String, isGood: Bool) async throws {
        guard isGood else {
            #expect(try await problems(json).map(\.code) == [.wrongValue])
            return
        }
        let (settings, warnings) = try await load(json)
        #expect(settings.server.port == 8_000)
        #expect(settings.server.address == "127.0.0.1")
        #expect(warnings.count == 1)
        #expect(warnings.allSatisfy { $0.contains("\"mysql\" is ignored") && !$0.contains("root:1") })
    }

    @Test func `lists come from the file and, with commas, from the environment`() async throws {
        let file = #"{"server":{"allowed_origins":["https://a.example","*"],"trusted_proxies":["10.1.2.3/8"]}}"#
        let fromFile = try await load(file).settings.server
        #expect(fromFile.allowedOrigins == ["https://a.example", "*"])
        #expect(fromFile.trustedProxies.map(\.description) == ["10.0.0.0/8"])

        let environment = [
            "QUIPU_SERVER_ALLOWED_ORIGINS": "",
            "QUIPU_SERVER_TRUSTED_PROXIES": "::1, 192.0.2.0/24",
        ]
        let fromEnvironment = try await load(file, environment: environment).settings.server
        #expect(fromEnvironment.allowedOrigins == [])
        #expect(fromEnvironment.trustedProxies.map(\.description) == ["::1", "192.0.2.0/24"])
        #expect(try await load("{}").settings.server.allowedOrigins == nil)
    }

    @Test(arguments: Logger.Level.allCases)
    func `every level of logging can be set`(level: Logger.Level) async throws {
        #expect(
            try await load("{}", environment: ["QUIPU_LOGGING_LEVEL": level.rawValue]).settings.logging.level == level
        )
    }

    @Test func `the file that ships is open on the loopback, and says nothing else that the defaults say`() async throws
    {
        let file = packageFolder.appending(path: "config.json").path
        let (settings, warnings) = try await Settings.load(file: file, environment: [:])
        var expected = Settings()
        expected.auth.mode = .open
        #expect(settings == expected)
        #expect(settings.server.listensOnLoopbackOnly)
        #expect(warnings == [])
        let json = try JSONReader.read(Array(Data(contentsOf: URL(fileURLWithPath: file))))
        #expect(
            json
                == .object([
                    "server": .object(["address": .text("127.0.0.1"), "port": .integer(8_080)]),
                    "auth": .object(["mode": .text("open")]),
                ])
        )
    }

    @Test(arguments: [
        ("limits.content_bytes", 65_536), ("limits.frame_bytes", 458_752), ("limits.http_body_bytes", 1_048_576),
        ("limits.request_head_bytes", 16_384), ("limits.handshake_seconds", 10), ("limits.ping_interval_seconds", 30),
        ("limits.idle_seconds", 60), ("limits.close_seconds", 10), ("limits.account_bytes", 64),
        ("limits.room_name_bytes", 64), ("limits.message_id_bytes", 64), ("limits.ref_bytes", 64),
        ("limits.password_min_characters", 1), ("limits.password_bytes", 72), ("limits.room_members", 100_000),
        ("limits.user_rooms", 10_000), ("limits.failed_logins_per_minute", 10),
        ("limits.failed_logins_per_address_per_minute", 100), ("limits.connections_per_address", 0),
        ("limits.messages_per_second", 0), ("limits.unanswered", 0), ("auth.bcrypt_cost", 12), ("auth.token_hours", 20),
    ])
    func `the default limits are the protocol's`(name: String, value: Int) throws {
        let setting = try #require(Setting.all.first { $0.name == name })
        guard case .integer(let path, _, _, _) = setting.kind else {
            Issue.record("not a number")
            return
        }
        #expect(Settings()[keyPath: path] == value)
    }
}
