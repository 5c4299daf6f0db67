import Testing

@testable import Server

/// Values that are right by themselves and wrong together: each rule at its limit and one past it.
@Suite struct SettingsConflictTests {
    @Test(arguments: [(1, 4_102), (65_536, 397_312), (100_000, 604_096)])
    func `a frame must hold any content, escaped`(contentBytes: Int, leastFrameBytes: Int) {
        var settings = Settings()
        settings.limits.contentBytes = contentBytes
        settings.limits.frameBytes = leastFrameBytes
        #expect(settings.conflicts == [])
        settings.limits.frameBytes -= 1
        expectConflict(settings, of: ["limits.frame_bytes", "limits.content_bytes", leastFrameBytes.grouped])
    }

    @Test func `the silence allowed is longer than the wait for a ping`() {
        var settings = Settings()
        settings.limits.pingIntervalSeconds = 59
        #expect(settings.conflicts == [])
        settings.limits.pingIntervalSeconds = 60
        expectConflict(settings, of: ["limits.idle_seconds", "limits.ping_interval_seconds"])
    }

    @Test func `a password can be both long and short enough`() {
        var settings = Settings()
        settings.limits.passwordMinCharacters = 8
        settings.limits.passwordBytes = 8
        #expect(settings.conflicts == [])
        settings.limits.passwordBytes = 7
        expectConflict(settings, of: ["limits.password_min_characters", "limits.password_bytes"])
    }

    @Test func `a commit holds the greatest message`() {
        var settings = Settings()
        settings.log.batchBytes = 65_536 + 4_096
        #expect(settings.conflicts == [])
        settings.log.batchBytes -= 1
        expectConflict(settings, of: ["log.batch_bytes", "limits.content_bytes"])
    }

    @Test(arguments: [
        ("127.0.0.1", true), ("127.9.8.7", true), ("::1", true), ("localhost", true), ("::ffff:127.0.0.1", true),
        ("0.0.0.0", false), ("::", false), ("192.168.0.1", false), ("128.0.0.1", false), ("::2", false),
        ("localhost.example", false), ("chat.example", false), ("127.0.0.0/1", false),
    ])
    func `open to all only where nobody else comes`(address: String, isLoopback: Bool) async throws {
        var settings = Settings()
        settings.server.address = address
        #expect(settings.server.listensOnLoopbackOnly == isLoopback)
        #expect(settings.conflicts == [], "mode required")
        settings.auth.mode = .open
        if isLoopback {
            #expect(settings.conflicts == [])
        } else {
            expectConflict(settings, of: ["auth.mode", "server.address", "--insecure", "required", address])
        }
        settings.auth.insecure = true
        #expect(settings.conflicts == [])
    }

    @Test func `a conflict between two sources stops the start`() async throws {
        let found = try await problems(
            #"{"auth":{"mode":"open"}}"#,
            environment: ["QUIPU_LIMITS_IDLE_SECONDS": "30"],
            overrides: .init(address: "0.0.0.0")
        )
        #expect(found.map(\.code) == [.conflict, .conflict])
    }

    private func expectConflict(_ settings: Settings, of words: [String], line: SourceLocation = #_sourceLocation) {
        #expect(settings.conflicts.map(\.code) == [.conflict], sourceLocation: line)
        for word in words {
            #expect(settings.conflicts.allSatisfy { $0.message.contains(word) }, "\(word)", sourceLocation: line)
        }
    }
}
