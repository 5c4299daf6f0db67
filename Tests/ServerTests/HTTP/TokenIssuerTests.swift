import Broker
import Foundation
import JWTKit
import Testing

@testable import Server

@Suite struct TokenIssuerTests {
    private static let keyBytes = [UInt8](0..<32)
    private static let id = AccountID(high: 0x0123_4567_89ab_cdef, low: 1)
    private let now = Date(timeIntervalSince1970: 1_800_000_000)

    private func issuer(hours: Int = 20, key: [UInt8] = keyBytes) async throws -> TokenIssuer {
        await TokenIssuer(key: try TokenKey(key), hours: hours)
    }

    private func sign(
        _ claims: [String: any Sendable] = [:],
        header: JWTHeader = [:],
        key: [UInt8] = keyBytes,
        digest: DigestAlgorithm = .sha256
    ) async throws -> String {
        try await JWTKeyCollection().add(hmac: HMACKey(from: key), digestAlgorithm: digest)
            .sign(Claims(now: now, changed: claims), header: header)
    }

    /// A token's part as JSON.
    private func part(_ index: Int, of token: String) throws -> [String: Any] {
        let data = try #require(Data(base64URL: String(token.split(separator: ".")[index])))
        return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    // MARK: Issuing

    @Test func `a token carries the claims of the protocol`() async throws {
        let token = try await issuer().issue(account: "帳號", id: Self.id, username: "Ännchen", now: now + 0.9)
        let header = try part(0, of: token)
        #expect(header["alg"] as? String == "HS256")
        #expect(header["typ"] as? String == "JWT")
        let claims = try part(1, of: token)
        #expect(
            Set(claims.keys) == ["account", "id", "username", "sub", "aud", "iss", "jti", "iat", "nbf", "exp"]
        )
        for name in ["account", "sub", "aud"] { #expect(claims[name] as? String == "帳號", "\(name)") }
        #expect(claims["username"] as? String == "Ännchen")
        #expect(claims["id"] as? String == "0123456789abcdef0000000000000001")
        #expect(claims["iss"] as? String == "ginJWT")
        #expect(claims["iat"] as? Int == 1_800_000_000)
        #expect(claims["nbf"] as? Int == 1_800_000_000)
        #expect(claims["exp"] as? Int == 1_800_000_000 + 20 * 3_600)
    }

    @Test func `times are integers, as other readers expect`() async throws {
        let token = try await issuer().issue(account: "1", id: Self.id, username: "1", now: now)
        let json = try #require(Data(base64URL: String(token.split(separator: ".")[1])))
        let text = String(decoding: json, as: UTF8.self)
        for time in ["\"iat\":1800000000,", "\"nbf\":1800000000", "\"exp\":1800072000"] {
            #expect((text + ",").replacing("}", with: ",").contains(time), "\(time)")
        }
        #expect(!text.contains("."))
    }

    @Test func `each token has its own id`() async throws {
        let issuer = try await issuer()
        var ids: [String?] = []
        for _ in 0..<2 {
            let token = try await issuer.issue(account: "1", id: Self.id, username: "1")
            ids.append(try part(1, of: token)["jti"] as? String)
        }
        #expect(ids[0] != ids[1])
    }

    // MARK: Verifying

    @Test func `a token is verified from its issue to its end`() async throws {
        let issuer = try await issuer(hours: 1)
        let token = try await issuer.issue(account: "1", id: Self.id, username: "One", now: now)
        let expected = VerifiedToken(account: "1", id: Self.id, username: "One", validFrom: now, expiresAt: now + 3_600)
        #expect(try await issuer.verify(token, now: now) == expected)
        #expect(try await issuer.verify(token, now: now + 3_599.9) == expected)
        await #expect(throws: TokenError.expired) { try await issuer.verify(token, now: now + 3_600) }
        await #expect(throws: TokenError.notYetValid) { try await issuer.verify(token, now: now - 0.1) }
    }

    @Test func `a token that jwt-kit signed alike is verified`() async throws {
        #expect(try await issuer().verify(try await sign(), now: now).account == "1")
    }

    @Test func `a token need not say whose name it was, but if it does it is an id`() async throws {
        #expect(try await issuer().verify(try await sign(), now: now).id == nil)
        #expect(try await issuer().verify(try await sign(["id": Self.id.description]), now: now).id == Self.id)
        for text in ["", "1", "x123456789abcdef0000000000000001"] {
            let token = try await sign(["id": text])
            await #expect(throws: TokenError.malformed) { try await issuer().verify(token, now: now) }
        }
    }

    @Test func `another key doesn't fit`() async throws {
        let token = try await issuer(key: [UInt8](1...32)).issue(account: "1", id: Self.id, username: "1", now: now)
        await #expect(throws: TokenError.wrongSignature) { try await issuer().verify(token, now: now) }
    }

    @Test func `another issuer is refused`() async throws {
        let token = try await sign(["iss": "someone"])
        await #expect(throws: TokenError.wrongIssuer) { try await issuer().verify(token, now: now) }
    }

    @Test func `another algorithm is refused, signed with our own key or not`() async throws {
        let issuer = try await issuer()
        for digest in [DigestAlgorithm.sha384, .sha512] {
            let token = try await sign(key: [UInt8](repeating: 7, count: 64), digest: digest)
            await #expect(throws: TokenError.wrongSignature) { try await issuer.verify(token, now: now) }
        }
        for name in ["HS512", "RS256", "none", "None", "hs256", ""] {
            let token = try await sign(header: ["alg": .string(name)])
            await #expect(throws: TokenError.wrongAlgorithm, "\(name)") { try await issuer.verify(token, now: now) }
        }
    }

    @Test func `a critical extension is refused`() async throws {
        let token = try await sign(header: ["crit": ["b64"]])
        await #expect(throws: TokenError.wrongAlgorithm) { try await issuer().verify(token, now: now) }
    }

    @Test(arguments: ["none", "None", "NONE", "nOnE", "HS256"])
    func `no signature is no signature`(algorithm: String) async throws {
        let issuer = try await issuer()
        let token = try await issuer.issue(account: "1", id: Self.id, username: "1", now: now)
        let parts = token.split(separator: ".")
        let header = Data(#"{"alg":"\#(algorithm)","typ":"JWT"}"#.utf8).base64URL
        for signature in ["", "AAAA", String(parts[2])] {
            let forged = "\(header).\(parts[1]).\(signature)"
            if forged == token { continue }
            await #expect(throws: TokenError.self) { try await issuer.verify(forged, now: now) }
        }
    }

    @Test(arguments: [
        "", ".", "..", "...", "a", "a.b", "a.b.c", "a.b.c.d", "Bearer x", "e30.e30.", "e30.e30.AAAA", "null.null.null",
        "😀.😀.😀",
        "\u{0}.\u{0}.\u{0}", String(repeating: ".", count: 10_000), String(repeating: "a", count: 100_000),
    ])
    func `what is no token is refused`(text: String) async throws {
        await #expect(throws: TokenError.self) { try await issuer().verify(text, now: now) }
    }

    @Test(arguments: ["account", "username", "iss", "nbf", "exp"])
    func `a token without a claim is malformed`(claim: String) async throws {
        let token = try await sign([claim: NSNullClaim()])
        await #expect(throws: TokenError.malformed) { try await issuer().verify(token, now: now) }
    }

    @Test func `a token changed in any place is no token`() async throws {
        let issuer = try await issuer()
        let token = Array(try await issuer.issue(account: "1", id: Self.id, username: "One", now: now).utf8)
        let verified = try await issuer.verify(String(decoding: token, as: UTF8.self), now: now)
        for index in token.indices {
            var changed = token
            changed[index] = changed[index] == 0x41 ? 0x42 : 0x41
            let result = try? await issuer.verify(String(decoding: changed, as: UTF8.self), now: now)
            // The last character of base 64 has bits to spare: another one may spell the same signature.
            let isLast = index == token.count - 1
            #expect(result == nil || isLast && result == verified, "at \(index)")
        }
    }

    // MARK: The cache

    @Test func `a token that is remembered ends as any other`() async throws {
        let issuer = try await issuer(hours: 1)
        let token = try await issuer.issue(account: "1", id: Self.id, username: "One", now: now)
        let first = try await issuer.verify(token, now: now)
        #expect(try await issuer.verify(token, now: now + 3_599) == first)
        await #expect(throws: TokenError.expired) { try await issuer.verify(token, now: now + 3_600) }
        await #expect(throws: TokenError.notYetValid) { try await issuer.verify(token, now: now - 1) }
        // U+212A is canonically equivalent to K: equal as a String, another token as bytes.
        let other = token.replacing("K", with: "\u{212A}")
        if other.utf8.count != token.utf8.count {
            await #expect(throws: TokenError.self) { try await issuer.verify(other, now: now) }
        }
    }

    @Test(arguments: [0, 1, 3, 100])
    func `so many tokens are remembered and all are verified`(maxCached: Int) async throws {
        let issuer = await TokenIssuer(key: try TokenKey(Self.keyBytes), hours: 1, maxCached: maxCached)
        for round in 0..<2 {
            for account in 0..<10 {
                let token = try await issuer.issue(account: "\(account)", id: Self.id, username: "1", now: now)
                for _ in 0..<2 {
                    #expect(try await issuer.verify(token, now: now).account == "\(account)", "round \(round)")
                }
            }
        }
    }

    @Test func `the cache forgets the first to come`() {
        let cache = TokenCache(maxTokens: 3)
        for index in 0..<5 as Range<UInt8> {
            cache[[index]] = VerifiedToken(account: "\(index)", id: nil, username: "", validFrom: now, expiresAt: now)
            cache[[index]] = VerifiedToken(account: "\(index)", id: nil, username: "", validFrom: now, expiresAt: now)
        }
        #expect(cache.count == 3)
        #expect((0..<5 as Range<UInt8>).map { cache[[$0]]?.account } == [nil, nil, "2", "3", "4"])
    }

    @Test func `the cache forgets the tokens of names that are erased, and those alone`() {
        let cache = TokenCache(maxTokens: 3)
        func put(_ index: UInt8, _ account: String) {
            cache[[index]] = VerifiedToken(account: account, id: nil, username: "", validFrom: now, expiresAt: now)
        }
        for (index, account) in ["a", "b", "a"].enumerated() { put(UInt8(index), account) }
        cache.forget(accounts: [Array("a".utf8), Array("c".utf8)])
        #expect((0..<3 as Range<UInt8>).map { cache[[$0]]?.account } == [nil, "b", nil])
        // Its order is that of those that are left.
        for index in 3..<6 as Range<UInt8> { put(index, "d") }
        #expect((cache.count, cache[[1]], cache[[3]]?.account) == (3, nil, "d"))
    }

    @Test func `an error says what is wrong and nothing else`() {
        let all: [TokenError] = [
            .missing, .malformed, .wrongAlgorithm, .wrongSignature, .wrongIssuer, .notYetValid, .expired,
        ]
        #expect(
            all.map(\.description) == [
                "token is missing", "token is malformed", "signature algorithm is not HS256", "signature is invalid",
                "token has another issuer", "token is not valid yet", "token is expired",
            ]
        )
    }
}

/// Stands for a claim that is left out.
private struct NSNullClaim: Sendable {}

/// Claims of which a test changes some.
private struct Claims: JWTPayload {
    private var strings: [String: String]
    private var numbers: [String: Int]

    init(now: Date, changed: [String: any Sendable]) {
        let second = Int(now.timeIntervalSince1970)
        strings = ["account": "1", "username": "One", "sub": "1", "aud": "1", "iss": "ginJWT", "jti": "x"]
        numbers = ["iat": second, "nbf": second, "exp": second + 60]
        for (name, value) in changed {
            strings[name] = value as? String
            numbers[name] = value as? Int
        }
    }

    init(from decoder: any Decoder) throws {
        strings = [:]
        numbers = [:]
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Name.self)
        for (name, value) in strings { try container.encode(value, forKey: Name(stringValue: name)) }
        for (name, value) in numbers { try container.encode(value, forKey: Name(stringValue: name)) }
    }

    func verify(using algorithm: some JWTAlgorithm) {}

    private struct Name: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }

        init?(intValue: Int) { nil }
    }
}

extension Data {
    fileprivate init?(base64URL text: String) {
        let padding = String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
        self.init(base64Encoded: text.replacing("-", with: "+").replacing("_", with: "/") + padding)
    }

    fileprivate var base64URL: String {
        base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
}
