import Testing

@testable import Server

@Suite struct OriginPolicyTests {
    @Test(arguments: [
        "http://localhost", "http://localhost:3000", "https://localhost:1", "HTTP://LOCALHOST:80",
        "http://app.localhost",
        "http://127.0.0.1", "http://127.0.0.1:8080", "https://127.1.2.3:5", "http://[::1]", "http://[::1]:8080",
    ])
    func `a page of this machine may call an open server`(origin: String) {
        let policy = OriginPolicy(allowedOrigins: nil, needsToken: false)
        #expect(policy.allows(origin))
        #expect(policy.allowOrigin(for: origin) == origin)
    }

    @Test(arguments: [
        "", "null", "localhost", "http://", "http://evil.example", "http://localhost.evil.example", "http://xlocalhost",
        "http://127.0.0.1.evil.example", "http://127.0.0.1@evil.example", "http://evil.example/localhost",
        "http://evil.example/.localhost", "http://evil@x.localhost", "http://127.1", "http://0x7f.0.0.1",
        "http://2130706433", "http://10.0.0.1", "http://0.0.0.0", "http://128.0.0.1", "http://[::2]", "http://[::1",
        "http://[::1]evil", "http://[::1].evil.example", "http://localhost:80x", "http://localhost:80:80",
        "http://localhost/", "http://127.0.0.0/8", "ftp://localhost", "file://", "chrome-extension://localhost",
    ])
    func `another page may not`(origin: String) {
        let policy = OriginPolicy(allowedOrigins: nil, needsToken: false)
        #expect(!policy.allows(origin))
        #expect(policy.allowOrigin(for: origin) == nil)
    }

    @Test(arguments: ["https://a.example", "https://A.example", "http://b.example:81"])
    func `a listed page may call`(origin: String) {
        let policy = OriginPolicy(allowedOrigins: ["https://A.example/", "http://b.example:81"], needsToken: true)
        #expect(policy.allows(origin))
        #expect(policy.allowOrigin(for: origin) == origin)
    }

    @Test(arguments: [
        "http://a.example", "https://a.example:443", "https://x.a.example", "https://a.example.evil", "null", "",
        "http://b.example", "http://localhost",
    ])
    func `a page that isn't listed may not`(origin: String) {
        let policy = OriginPolicy(allowedOrigins: ["https://A.example/", "http://b.example:81"], needsToken: true)
        #expect(!policy.allows(origin))
        #expect(policy.allowOrigin(for: origin) == nil)
    }

    @Test(arguments: [nil, ["*"], ["https://a.example", "*"]] as [[String]?])
    func `where a token is needed every page may call unless some are listed`(allowed: [String]?) {
        let policy = OriginPolicy(allowedOrigins: allowed, needsToken: true)
        for origin in [nil, "https://a.example", "null"] as [String?] {
            #expect(policy.allows(origin))
            #expect(policy.allowOrigin(for: origin) == "*")
        }
        #expect(policy.headers(for: nil).map(\.name) == ["Access-Control-Allow-Origin"])
    }

    @Test func `an empty list lets no page in`() {
        let policy = OriginPolicy(allowedOrigins: [], needsToken: true)
        #expect(!policy.allows("https://a.example"))
        #expect(policy.allows(nil))
    }

    @Test func `a reply that depends on the origin says so to caches`() {
        for policy in [
            OriginPolicy(allowedOrigins: nil, needsToken: false),
            OriginPolicy(allowedOrigins: ["https://a.example"], needsToken: true),
        ] {
            for origin in [nil, "https://a.example", "http://localhost"] as [String?] {
                #expect(policy.headers(for: origin).contains { $0 == ("Vary", "Origin") })
            }
        }
    }

    @Test func `only a server without tokens refuses plain requests of others`() {
        #expect(OriginPolicy(allowedOrigins: nil, needsToken: false).refusesOthers)
        #expect(OriginPolicy(allowedOrigins: ["https://a.example"], needsToken: false).refusesOthers)
        #expect(!OriginPolicy(allowedOrigins: ["https://a.example"], needsToken: true).refusesOthers)
    }
}
