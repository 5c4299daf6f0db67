import Testing

@testable import Server

/// The token key gets in, and out again nowhere.
@Suite struct SecretTests {
    private let key = "correct horse battery staple 012"

    @Test func `a key of 32 bytes is taken`() async throws {
        #expect(key.utf8.count == 32)
        let settings = try await load("{}", environment: ["QUIPU_AUTH_JWT_KEY": key]).settings
        #expect(settings.auth.jwtKey?.bytes == Array(key.utf8))
        #expect(try await load("{\"auth\":{\"jwt_key\":\"\(key)\"}}").settings == settings)
    }

    @Test func `a shorter key is refused without a word of it`() async throws {
        let short = String(key.dropLast())
        let found = try await problems(
            "{\"auth\":{\"jwt_key\":\"\(short)\"}}",
            environment: ["QUIPU_AUTH_JWT_KEY": short]
        )
        #expect(found.map(\.code) == [.wrongValue, .wrongValue])
        for problem in found {
            #expect(problem.message.contains("\"auth.jwt_key\" is not usable (its value is not shown)"))
            #expect(problem.message.contains("32 bytes"))
            #expect(!problem.message.contains("horse"))
        }
    }

    @Test func `a key in the wrong place or of the wrong type is not shown either`() async throws {
        for json in [
            "{\"auth\":\"\(key)\"}", "{\"auth\":{\"jwt_key\":[\"\(key)\"]}}", "{\"auth\":{\"key\":\"\(key)\"}}",
        ] {
            let found = try await problems(json)
            #expect(found.count == 1)
            #expect(!found.contains { $0.message.contains("horse") })
        }
    }

    @Test func `no way to print the settings shows the key`() async throws {
        let settings = try await load("{}", environment: ["QUIPU_AUTH_JWT_KEY": key]).settings
        var dumped = ""
        dump(settings, to: &dumped)
        for text in ["\(settings)", String(reflecting: settings), dumped, "\(settings.auth.jwtKey as Any)"] {
            #expect(text.contains("(secret)"))
            #expect(!text.contains("horse"))
            // The bytes as numbers would do as well.
            #expect(!text.contains("99, 111, 114"))
        }
    }
}
