import Broker
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Projections

/// The HTTP half of the protocol.
///
/// A 2xx to a request that changed something means that it is in the log and on disk.
struct Routes: Sendable {
    let services: SessionServices
    let tokens: TokenIssuer
    let passwords: PasswordPool
    let logins: LoginGuard
    let prover: LogProver

    func add(to router: Router<FrontContext>) {
        router.get("/ping") { _, _ in JSONValue.object(["message": "pong"]).response() }
        router.get("/health/live") { _, _ in JSONValue.object(["status": "live"]).response() }
        router.get("/health/ready") { _, _ in health() }
        router.post("/account/register") { request, _ in try await register(request) }
        router.post("/account/login") { request, context in try await login(request, context) }
        router.post("/account/member/profile") { request, _ in try await profile(request) }
        router.get("/account/member/profile") { request, _ in try await profile(request) }
        addRooms(to: router)
        addAudit(to: router)
    }

    private static let forwardedFor = HTTPField.Name(parsed: "x-forwarded-for")

    var limits: Settings.Limits { services.settings.limits }
    var broker: Broker { services.broker }

    // MARK: Health

    private func health() -> Response {
        let head = broker.log.head
        let views = services.views.all
        let isReady = broker.failure == nil && views.allSatisfy { $0.failure == nil && !$0.isStalled }
        let states: [JSONValue] = views.map { view in
            let projected = view.projected
            let state = view.failure.map { "failed: \($0)" } ?? (view.isStalled ? "stalled: no room" : "ok")
            return .object([
                "name": .string(view.name), "projected": .integer(Int(projected)),
                "lag": .integer(Int(head - min(head, projected))), "state": .string(state),
            ])
        }
        let reply = JSONValue.object([
            "status": .string(isReady ? "ready" : "not ready"), "log": .string(broker.failure ?? "ok"),
            "head": .integer(Int(head)), "views": .array(states),
        ])
        return reply.response(isReady ? .ok : .serviceUnavailable)
    }

    // MARK: Accounts

    private struct Registration: Decodable {
        var account: String?
        var password: String?
        var email: String?
        var username: String?
    }

    private func register(_ request: Request) async throws -> Response {
        let body: Registration = try await decode(request) { .init(.badRequest, $0, shape: .message(code: 400)) }
        func refuse(_ text: String) -> HTTPFailure { HTTPFailure(.badRequest, text, shape: .message(code: 400)) }
        func required(_ value: String?, _ name: String) throws -> String {
            guard let value, !value.isEmpty else { throw refuse("the field '\(name)' is missing or empty") }
            return value
        }
        let accountText = try required(body.account, "account")
        let password = try required(body.password, "password")
        let email = try required(body.email, "email")
        let username = try required(body.username, "username")
        let account: AccountName
        do throws(AccountName.Invalid) {
            account = try AccountName(accountText)
        } catch {
            throw refuse("\(error)")
        }
        guard accountText.utf8.count <= limits.accountBytes else {
            throw refuse("an account name may have \(limits.accountBytes) bytes of UTF-8 at most")
        }
        if let problem = PasswordPolicy(limits).problem(with: password) { throw refuse(problem) }
        // Looked up before the hash, which is dear; the writer looks again.
        guard try broker.log.accountID(named: account) == nil else { throw refuse("the account is taken") }
        let hash = try await hashed(password)
        let user = EventPayload.UserRegistered(account: account, username: username, email: email, passwordHash: hash)
        switch await broker.execute(.register(user, adoptsGuest: false)) {
        case .account: break
        case .refused(.accountTaken): throw refuse("the account is taken")
        default: throw HTTPFailure(.serviceUnavailable, Session.notStoredText, shape: .message(code: 503))
        }
        return JSONValue.object(["data": true, "code": 200, "msg": "註冊成功"]).response(.accepted)
    }

    private struct Credentials: Decodable {
        var account: String?
        var password: String?
    }

    private func login(_ request: Request, _ context: FrontContext) async throws -> Response {
        let body: Credentials = try await decode(request) { .init(.badRequest, $0, shape: .message(code: 400)) }
        func refuse(_ status: HTTPResponse.Status, _ text: String) -> HTTPFailure {
            HTTPFailure(status, text, shape: .message(code: 400))
        }
        guard let accountText = body.account, let password = body.password else {
            throw refuse(.badRequest, "the fields 'account' and 'password' are needed")
        }
        let address = ClientAddress(
            peer: context.peer,
            forwardedFor: Self.forwardedFor.map { request.headers[values: $0] } ?? [],
            trustedProxies: services.settings.server.trustedProxies
        )
        if let address, let seconds = logins.begin(account: accountText, from: address) {
            throw HTTPFailure(
                .tooManyRequests,
                "too many failed logins",
                shape: .message(code: 429),
                retryAfterSeconds: seconds
            )
        }
        // A try counts as failed until it is known to be no fault of the client's.
        var isFailure = false
        defer { if !isFailure, let address { logins.succeed(account: accountText, from: address) } }
        try await services.wait(for: services.views.users.view)
        guard let name = try? AccountName(accountText), let user = try services.views.users.account(named: name).value,
            let hash = user.passwordHash
        else {
            isFailure = true
            throw refuse(.badRequest, "查無帳號")
        }
        let from = address.map { "\($0)" } ?? ""
        let isRight: Bool
        do {
            isRight = try await passwords.verify(Array(password.utf8), against: hash)
        } catch let PasswordPoolError.busy(seconds) {
            throw HTTPFailure(
                .tooManyRequests,
                "too many logins at once",
                shape: .message(code: 429),
                retryAfterSeconds: seconds
            )
        }
        guard isRight else {
            isFailure = true
            _ = await broker.execute(.recordFailedLogin(user.id, address: from))
            throw refuse(.unauthorized, "Unauthorized")
        }
        let port = UInt32(context.peer?.port ?? 0)
        switch await broker.execute(.recordLogin(user.id, address: from, port: port)) {
        case .stored: break
        // Erased while the password was looked at.
        case .refused(.noSuchAccount): throw refuse(.badRequest, "查無帳號")
        default: throw HTTPFailure(.serviceUnavailable, Session.notStoredText, shape: .message(code: 503))
        }
        let token = try await tokens.issue(account: accountText, id: user.id, username: user.username)
        return JSONValue.object(["token": .string(token)]).response()
    }

    private func hashed(_ password: String) async throws -> String {
        do {
            return try await passwords.hash(Array(password.utf8))
        } catch let PasswordPoolError.busy(seconds) {
            throw HTTPFailure(
                .tooManyRequests,
                "too many registrations at once",
                shape: .message(code: 429),
                retryAfterSeconds: seconds
            )
        }
    }

    private func profile(_ request: Request) async throws -> Response {
        let caller = try await caller(of: request)
        let data: JSONValue = .object(["account": .string(caller.name.text), "username": .string(caller.username)])
        return JSONValue.object(["code": 200, "data": data, "msg": "登入成功"]).response()
    }

    // MARK: Who asks

    /// The account that a request is made for.
    struct Caller {
        var name: AccountName
        var id: AccountID
        var username: String
    }

    func caller(of request: Request) async throws -> Caller {
        let header = request.headers[.authorization] ?? ""
        guard header.lowercased().hasPrefix("bearer ") else {
            if services.settings.auth.mode == .open, let name = request.uri.queryParameters["account"] {
                let name = try valid(String(name))
                return Caller(name: name, id: try await account(named: name), username: name.text)
            }
            throw HTTPFailure(.unauthorized, "malformed: an Authorization header with a Bearer token is needed")
        }
        let token = header.dropFirst("bearer ".count).trimmingCharacters(in: .whitespaces)
        let verified: VerifiedToken
        do {
            verified = try await tokens.verify(token)
        } catch {
            throw HTTPFailure(.unauthorized, "\(error)")
        }
        let name = try valid(verified.account)
        guard let id = try await services.account(of: verified, named: name) else {
            throw HTTPFailure(.unauthorized, "malformed: the token's account doesn't exist here")
        }
        return Caller(name: name, id: id, username: verified.username)
    }

    /// The account of that name; in open mode a new name is a guest's.
    func account(named name: AccountName) async throws -> AccountID {
        if let found = try broker.log.accountID(named: name) { return found }
        guard services.settings.auth.mode == .open else { throw HTTPFailure(.notFound, "no such account: \(name)") }
        guard case .account(let id, _) = await broker.execute(.admitGuest(name)) else {
            throw HTTPFailure(.serviceUnavailable, Session.notStoredText)
        }
        return id
    }

    func valid(_ text: String) throws -> AccountName {
        do throws(AccountName.Invalid) {
            return try AccountName(text)
        } catch {
            throw HTTPFailure(.notFound, "no such account: \(error)")
        }
    }

    /// The request's body as JSON.
    func decode<Body: Decodable>(_ request: Request, failure: (String) -> HTTPFailure) async throws -> Body {
        let bytes = try await request.body.collect(upTo: limits.httpBodyBytes)
        // Foundation's parser goes as deep as the JSON does, on a stack of bounded depth.
        guard Self.depth(of: bytes.readableBytesUInt8Span) <= 32 else { throw failure("the JSON is nested too deeply") }
        do {
            return try JSONDecoder().decode(Body.self, from: Data(bytes.readableBytesView))
        } catch DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context) {
            let field = context.codingPath.map(\.stringValue).joined(separator: ".")
            throw failure("the field '\(field)' has the wrong type")
        } catch {
            throw failure("the body is no JSON object")
        }
    }
}

extension Routes {
    /// No less than how deep arrays and objects nest: brackets within strings count as well.
    private static func depth(of json: Span<UInt8>) -> Int {
        var depth = 0
        var deepest = 0
        for index in json.indices {
            switch json[index] {
            case UInt8(ascii: "["), UInt8(ascii: "{"):
                depth += 1
                deepest = max(deepest, depth)
            case UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
            default: break
            }
        }
        return deepest
    }
}

/// What a password must be.
struct PasswordPolicy {
    let minimumCharacters: Int
    let maximumBytes: Int

    init(_ limits: Settings.Limits) {
        minimumCharacters = limits.passwordMinCharacters
        maximumBytes = limits.passwordBytes
    }

    /// What is wrong with `password`; nil if nothing is.
    func problem(with password: String) -> String? {
        if password.utf8.contains(0) { return "a password must not contain NUL" }
        if password.utf8.count > maximumBytes { return "a password may have \(maximumBytes) bytes of UTF-8 at most" }
        if password.count < minimumCharacters { return "a password needs \(minimumCharacters) characters or more" }
        return nil
    }
}
