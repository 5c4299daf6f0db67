import Broker
import Foundation
import HTTPTypes
import NIOCore
import NIOHTTP1
import Projections

/// Decides which requests to `/ws` become sockets, whose, and of which kind.
struct SocketUpgrade: Sendable {
    let services: SessionServices
    let dispatchers: LoopDispatchers
    let tokens: TokenIssuer

    /// Who asked for the socket, and until when the proof holds.
    private struct Caller {
        /// Escaped for JSON.
        var name: [UInt8]
        var id: AccountID
        var expiresAt: Date?
        /// The event that let a guest in for this socket; nil for an account that was there before.
        var admission: Offset?
    }

    /// What a handshake asks for.
    private struct Request {
        let head: HTTPRequestHead
        let handshake: Handshake
        let path: [String]
        let sendID: String?
        let receiveID: String?
        let token: String?
        /// The position that `?after=` names.
        let point: ResumePoint?

        var claimed: String? { path.count == 2 ? path[1] : sendID }
        var isOfConversation: Bool { path.count == 1 && (sendID != nil || receiveID != nil) }
    }

    /// How far a decision comes without waiting for anything.
    private enum Step {
        case decided(UpgradeDecision)
        /// A guest of that name is to be let in first.
        case guest(AccountName)
        case waits
    }

    /// Decides about a request.
    ///
    /// It may take a moment: a guest is let in by the log. What needs no task has none: it costs as much as all the
    /// rest of the decision.
    func decide(_ head: HTTPRequestHead, _ channel: any Channel) -> EventLoopFuture<UpgradeDecision> {
        let loop = channel.eventLoop
        let promise = loop.makePromise(of: UpgradeDecision.self)
        do {
            switch HandshakeRequest(head) {
            case .plain:
                let failure = HTTPFailure(.upgradeRequired, "this path speaks WebSocket: send an upgrade")
                let headers: HTTPHeaders = ["Upgrade": "websocket", "Sec-WebSocket-Version": "13"]
                promise.succeed(.refuse(failure, headers: headers))
            case .refused(let refusal):
                let failure = HTTPFailure(.init(code: Int(refusal.status.code)), refusal.reason)
                promise.succeed(.refuse(failure, headers: refusal.headers))
            case .webSocket(let handshake): try decide(request(head, handshake), on: loop, promise)
            }
        } catch {
            Self.fail(promise, error)
        }
        return promise.futureResult
    }

    private func decide(
        _ request: Request,
        on loop: any EventLoop,
        _ promise: EventLoopPromise<UpgradeDecision>
    ) throws {
        switch try step(request) {
        case .decided(let decision): promise.succeed(decision)
        case .waits: decideLater(request, on: loop, promise)
        case .guest(let name):
            dispatchers.dispatcher(of: loop).admissions.admit(name) { outcome in
                guard case .account(let id, let offset) = outcome else {
                    return Self.fail(promise, HTTPFailure(.serviceUnavailable, Session.notStoredText))
                }
                // Another socket's handshake was quicker to bring that name: it is an account as others are.
                guard offset > 0 else { return decideLater(request, on: loop, promise) }
                do {
                    let start = try start(request, head: offset)
                    let escaped = services.directory.insert(name, for: id)
                    promise.succeed(acceptance(request, Caller(name: escaped, id: id), start))
                } catch {
                    Self.fail(promise, error)
                }
            }
        }
    }

    private func decideLater(
        _ request: Request,
        on loop: any EventLoop,
        _ promise: EventLoopPromise<UpgradeDecision>
    ) {
        Task(executorPreference: dispatchers.dispatcher(of: loop).executor) {
            do {
                promise.succeed(try await decision(request, on: loop))
            } catch {
                Self.fail(promise, error)
            }
        }
    }

    private static func fail(_ promise: EventLoopPromise<UpgradeDecision>, _ error: any Error) {
        switch error {
        case let failure as HTTPFailure: promise.succeed(.refuse(failure))
        case let invalid as AccountName.Invalid: promise.succeed(.refuse(HTTPFailure(.badRequest, "\(invalid)")))
        default: promise.fail(error)
        }
    }

    private func request(_ head: HTTPRequestHead, _ handshake: Handshake) throws -> Request {
        let target = handshake.target
        guard target.segments.count <= 2 else { throw HTTPFailure(.notFound, "not found") }
        return Request(
            head: head,
            handshake: handshake,
            path: target.segments,
            sendID: target.query("send_id"),
            receiveID: target.query("receive_id"),
            token: Self.bearer(head) ?? target.query("token") ?? handshake.bearerToken,
            point: try resumePoint(handshake)
        )
    }

    /// Decides at once about what most sockets are, in an open server: all of one user's, without a token.
    private func step(_ request: Request) throws -> Step {
        guard services.knowsNames, services.settings.auth.mode == .open, request.token == nil,
            !request.isOfConversation, let claimed = request.claimed ?? request.handshake.target.query("account")
        else { return .waits }
        let name = try AccountName(claimed)
        guard let id = try services.broker.log.accountID(named: name) else { return .guest(name) }
        guard services.hasProjected(services.views.rooms.view) else { return .waits }
        let start = try startWithRooms(request, of: id)
        return .decided(acceptance(request, Caller(name: services.directory.insert(name, for: id), id: id), start))
    }

    private func decision(_ request: Request, on loop: any EventLoop) async throws -> UpgradeDecision {
        // Whoever came in before would be told of people without a name.
        try await services.waitForNames()
        let caller = try await caller(request, on: loop)
        guard request.isOfConversation else {
            // Who wasn't there before is in no room yet; of those that come the log tells, from there on.
            if let admission = caller.admission {
                return acceptance(request, caller, try start(request, head: admission))
            }
            try await services.wait(for: services.views.rooms.view)
            return acceptance(request, caller, try startWithRooms(request, of: caller.id))
        }
        guard let peerText = request.receiveID, request.sendID != nil else {
            throw HTTPFailure(.badRequest, "a conversation needs both send_id and receive_id")
        }
        let peer: [UInt8]
        let peerID: AccountID
        if let erased = services.directory.erasedAccount(labelled: peerText) {
            // What was said to each other can still be read.
            (peer, peerID) = (services.directory.escapedName(of: erased), erased)
        } else {
            let name = try AccountName(peerText)
            peerID = try await account(named: name, on: loop).id
            peer = services.directory.insert(name, for: peerID)
        }
        let conversation = Command.Conversation(me: caller.id, peer: peerID)
        let start = try start(request)
        return .accept(headers(request)) { channel in
            try install(.conversation(conversation), caller, peer: peer, start, on: channel)
        }
    }

    private func headers(_ request: Request) -> HTTPHeaders {
        request.handshake.responseHeaders(subprotocol: request.handshake.bearerToken == nil ? nil : "bearer")
    }

    /// Lets a socket in that is about all of its user's rooms.
    private func acceptance(_ request: Request, _ caller: Caller, _ start: SessionStart) -> UpgradeDecision {
        var headers = headers(request)
        headers.add(name: "X-Quipu-Log", value: services.logText)
        headers.add(name: "X-Quipu-Offset", value: String(start.offset))
        let kind: Session.Kind = request.path.count == 2 ? .room : .session
        return .accept(headers) { channel in try install(kind, caller, start, on: channel) }
    }

    // MARK: Where from

    /// The position that `?after=` asks for; nil if it doesn't.
    private func resumePoint(_ handshake: Handshake) throws -> ResumePoint? {
        guard let text = handshake.target.query("after") else { return nil }
        guard let after = UInt64(text), after < 1 << 53, text.utf8.allSatisfy({ $0 != UInt8(ascii: "+") }) else {
            throw HTTPFailure(.badRequest, "'after' must be an offset: a whole number from 0 to 9007199254740991")
        }
        return ResumePoint(after: after, log: handshake.target.query("log"), in: services.broker.log)
    }

    /// - Parameter head: Where a socket begins that asks for nothing.
    private func start(_ request: Request, head: Offset? = nil) throws -> SessionStart {
        var start = SessionStart(offset: head ?? services.broker.log.head)
        start.wantsChanges = request.handshake.target.query("events") == "1"
        switch request.point {
        case nil: break
        case .valid(let offset): (start.offset, start.resume) = (offset, .accepted)
        case .refused(let refusal): start.resume = .refused(refusal)
        }
        return start
    }

    /// Where a socket begins that gets the rooms of its user, as far as their view has come.
    private func startWithRooms(_ request: Request, of user: AccountID) throws -> SessionStart {
        let view = services.views.rooms
        let now = try view.rooms(of: user)
        var start = try start(request, head: now.asOf)
        start.currentRooms = Set(now.value)
        if start.offset == now.asOf {
            start.rooms = start.currentRooms
        } else {
            start.rooms = Set(try view.rooms(of: user, at: start.offset).value)
        }
        return start
    }

    // MARK: Who

    private func caller(_ request: Request, on loop: any EventLoop) async throws -> Caller {
        let claimed = request.claimed
        if let token = request.token {
            let verified: VerifiedToken
            do {
                verified = try await tokens.verify(token)
            } catch {
                throw HTTPFailure(.unauthorized, "\(error)")
            }
            let name = try AccountName(verified.account)
            guard claimed == nil || Array((claimed ?? "").utf8) == name.utf8 else {
                throw HTTPFailure(.forbidden, "the token is another account's")
            }
            guard let id = try await services.account(of: verified, named: name) else {
                throw HTTPFailure(.unauthorized, "the token's account doesn't exist here")
            }
            let escaped = services.directory.insert(name, for: id)
            return Caller(name: escaped, id: id, expiresAt: verified.expiresAt)
        }
        guard services.settings.auth.mode == .open else { throw HTTPFailure(.unauthorized, "a token is needed") }
        guard let claimed = claimed ?? request.handshake.target.query("account") else {
            throw HTTPFailure(.badRequest, "say who you are: /ws?send_id=ME&receive_id=PEER, /ws/ME, or a token")
        }
        let name = try AccountName(claimed)
        let (id, admission) = try await account(named: name, on: loop)
        return Caller(name: services.directory.insert(name, for: id), id: id, admission: admission)
    }

    static func bearer(_ head: HTTPRequestHead) -> String? {
        for value in head.headers["authorization"] where value.lowercased().hasPrefix("bearer ") {
            return value.dropFirst("bearer ".count).trimmingCharacters(in: .whitespaces)
        }
        return nil
    }

    /// The account of that name; in open mode a new name is a guest's, let in by an event.
    private func account(
        named name: AccountName,
        on loop: any EventLoop
    ) async throws -> (id: AccountID, admission: Offset?) {
        if let found = try services.broker.log.accountID(named: name) { return (found, nil) }
        guard services.settings.auth.mode == .open else { throw HTTPFailure(.notFound, "no such user") }
        // Many come at once, as after a restart, and can be let in by one commit.
        dispatchers.dispatcher(of: loop).wakeWriterSoon()
        guard case .account(let id, let offset) = await services.broker.execute(.admitGuest(name), wakesWriter: false)
        else { throw HTTPFailure(.serviceUnavailable, Session.notStoredText) }
        return (id, offset > 0 ? offset : nil)
    }

    // MARK: The socket

    private func install(
        _ kind: Session.Kind,
        _ caller: Caller,
        peer: [UInt8] = [],
        _ start: SessionStart,
        on channel: any Channel
    ) throws {
        let dispatcher = dispatchers.dispatcher(of: channel.eventLoop)
        let session = Session(
            kind: kind,
            me: caller.id,
            myName: caller.name,
            peerName: peer,
            start: start,
            dispatcher: dispatcher
        )
        let limits = services.settings.limits
        let options = channel.syncOptions
        let highWater = limits.outboundBytes
        try options?.setOption(.writeBufferWaterMark, value: .init(low: highWater / 2, high: highWater))
        let lifetime = caller.expiresAt.map { TimeAmount.milliseconds(Int64(max(0, $0.timeIntervalSinceNow * 1000))) }
        let handler = SessionHandler(
            session: session,
            maximumFrameBytes: limits.frameBytes,
            lifetime: lifetime
        )
        try channel.pipeline.syncOperations.addHandler(handler)
    }
}
