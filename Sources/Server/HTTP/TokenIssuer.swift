import Broker
import Foundation
import JWTKit

/// Issues and verifies the tokens that a login gives: JWT (RFC 7519) signed with HS256.
///
/// ```swift
/// let issuer = await TokenIssuer(key: try TokenKey(folder: data), hours: 20)
/// let token = try await issuer.issue(account: "1", id: id, username: "One")
/// let verified = try await issuer.verify(token)   // account, id, username, expiresAt
/// ```
struct TokenIssuer: Sendable {
    private let keys: JWTKeyCollection
    private let lifetime: TimeInterval
    /// jwt-kit takes 23 µs for a token, most of it in Foundation's JSON decoder; from here it takes 1 µs.
    let verified: TokenCache

    /// - Parameters:
    ///   - key: What signs.
    ///   - hours: How long a token holds.
    ///   - maxCached: How many verified tokens are remembered, about 700 bytes each.
    init(key: TokenKey, hours: Int, maxCached: Int = 4_096) async {
        let key = HMACKey(from: key.bytes)
        keys = await JWTKeyCollection().add(hmac: key, digestAlgorithm: .sha256, parser: TokenParser())
        lifetime = TimeInterval(hours) * 3_600
        verified = TokenCache(maxTokens: maxCached)
    }

    /// Signs a token for `account` that holds from `now` for the hours that were set.
    func issue(account: String, id: AccountID, username: String, now: Date = Date()) async throws -> String {
        // Whole seconds, down: a token must not begin to hold after the moment that it is handed out.
        let now = Date(timeIntervalSince1970: now.timeIntervalSince1970.rounded(.down))
        return try await keys.sign(
            TokenPayload(
                account: account,
                id: id.description,
                username: username,
                sub: SubjectClaim(value: account),
                aud: AudienceClaim(value: account),
                iss: IssuerClaim(value: TokenPayload.issuer),
                jti: IDClaim(value: UUID().uuidString.lowercased()),
                iat: IssuedAtClaim(value: now),
                nbf: NotBeforeClaim(value: now),
                exp: ExpirationClaim(value: now.addingTimeInterval(lifetime))
            )
        )
    }

    /// Reads a token if it is ours and holds at `now`.
    ///
    /// - Throws: ``TokenError``; the signature is looked at before the claims.
    func verify(_ token: String, now: Date = Date()) async throws(TokenError) -> VerifiedToken {
        let bytes = [UInt8](token.utf8)
        if let known = verified[bytes] {
            try known.check(now: now)
            return known
        }
        let payload: TokenPayload
        do {
            payload = try await keys.verify(bytes)
        } catch let error as JWTError {
            switch error.errorType {
            case .signatureVerificationFailed: throw .wrongSignature
            case .unsupportedAlgorithm: throw .wrongAlgorithm
            default: throw .malformed
            }
        } catch {
            throw .malformed
        }
        guard payload.iss.value == TokenPayload.issuer else { throw .wrongIssuer }
        let id = payload.id.map { AccountID($0) }
        if case .some(nil) = id { throw .malformed }
        let token = VerifiedToken(
            account: payload.account,
            id: id ?? nil,
            username: payload.username,
            validFrom: payload.nbf.value,
            expiresAt: payload.exp.value
        )
        try token.check(now: now)
        verified[bytes] = token
        return token
    }
}

/// Who a token speaks for, and until when.
struct VerifiedToken: Sendable, Equatable {
    let account: String
    /// Whom the name belonged to; nil if whoever signed it didn't say.
    let id: AccountID?
    let username: String
    let validFrom: Date
    let expiresAt: Date

    fileprivate func check(now: Date) throws(TokenError) {
        guard validFrom <= now else { throw .notYetValid }
        guard expiresAt > now else { throw .expired }
    }
}

/// A token's claims, under their names on the wire.
private struct TokenPayload: JWTPayload {
    /// The seeds' clients may look at it.
    static let issuer = "ginJWT"

    let account: String
    /// Names change hands when an account is erased, ids don't.
    let id: String?
    let username: String
    let sub: SubjectClaim
    let aud: AudienceClaim
    let iss: IssuerClaim
    let jti: IDClaim
    let iat: IssuedAtClaim
    let nbf: NotBeforeClaim
    let exp: ExpirationClaim

    /// Nothing here: ``TokenIssuer/verify(_:now:)`` checks the claims, against a time that it is told.
    func verify(using algorithm: some JWTAlgorithm) throws {}
}

/// Refuses a header that names another algorithm, which jwt-kit leaves open: it verifies with the key that it has,
/// whatever the header says.
private struct TokenParser: JWTParser {
    var jsonDecoder: any JWTJSONDecoder = .defaultForJWT

    func parse<Payload: JWTPayload>(
        _ token: some DataProtocol,
        as type: Payload.Type
    ) throws -> (header: JWTHeader, payload: Payload, signature: Data) {
        let parts = try DefaultJWTParser(jsonDecoder: jsonDecoder).parse(token, as: type)
        // An extension that must be understood (RFC 7515 §4.1.11) is none that we know.
        guard parts.header.alg == "HS256", parts.header.crit == nil else {
            throw JWTError.unsupportedAlgorithm(alg: parts.header.alg)
        }
        return parts
    }
}
