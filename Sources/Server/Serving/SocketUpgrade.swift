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

    /// Decides about a request.
    ///
    /// It may take a moment: a guest is let in by the log.
    func decide(_ head: HTTPRequestHead, _ channel: any Channel) -> EventLoopFuture<UpgradeDecision> {
        let promise = channel.eventLoop.makePromise(of: UpgradeDecision.self)
        Task(executorPreference: dispatchers.dispatcher(of: channel.eventLoop).executor) {
            do {
                promise.succeed(try await decision(head, channel))
            } catch let failure as HTTPFailure {
                promise.succeed(.refuse(failure))
            } catch let invalid as AccountName.Invalid {
                promise.succeed(.refuse(HTTPFailure(.badRequest, "\(invalid)")))
            } catch {
                promise.fail(error)
            }
        }
        return promise.futureResult
    }

    private func decision(_ head: HTTPRequestHead, _ channel: any Channel) async throws -> UpgradeDecision {
        let handshake: Handshake
        switch HandshakeRequest(head) {
        case .plain:
            let failure = HTTPFailure(.upgradeRequired, "this path speaks WebSocket: send an upgrade")
            return .refuse(failure, headers: ["Upgrade": "websocket", "Sec-WebSocket-Version": "13"])
        case .refused(let refusal):
            return .refuse(HTTPFailure(.init(code: Int(refusal.status.code)), refusal.reason), headers: refusal.headers)
        case .webSocket(let found): handshake = found
        }
        let path = handshake.target.segments
        guard path.count <= 2 else { throw HTTPFailure(.notFound, "not found") }
        // Whoever came in before would be told of people without a name.
        try await services.waitForNames()

        var headers = handshake.responseHeaders(subprotocol: handshake.bearerToken == nil ? nil : "bearer")
        let sendID = handshake.target.query("send_id")
        let receiveID = handshake.target.query("receive_id")
        let claimed: String? = path.count == 2 ? path[1] : sendID
        let point = try resumePoint(handshake)
        let loop = channel.eventLoop
        let caller = try await caller(handshake, head, claimed: claimed, on: loop)

        if path.count == 1, sendID != nil || receiveID != nil {
            guard let peerText = receiveID, sendID != nil else {
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
            let start = try start(at: point, handshake)
            return .accept(headers) { channel in
                try install(.conversation(conversation), caller, peer: peer, start, on: channel)
            }
        }
        let start = try await start(at: point, handshake, caller)
        let kind: Session.Kind = path.count == 2 ? .room : .session
        headers.add(name: "X-Quipu-Log", value: services.logText)
        headers.add(name: "X-Quipu-Offset", value: String(start.offset))
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
    private func start(at point: ResumePoint?, _ handshake: Handshake, head: Offset? = nil) throws -> SessionStart {
        var start = SessionStart(offset: head ?? services.broker.log.head)
        start.wantsChanges = handshake.target.query("events") == "1"
        switch point {
        case nil: break
        case .valid(let offset): (start.offset, start.resume) = (offset, .accepted)
        case .refused(let refusal): start.resume = .refused(refusal)
        }
        return start
    }

    /// Where a socket begins that gets the rooms of its user.
    private func start(at point: ResumePoint?, _ handshake: Handshake, _ caller: Caller) async throws -> SessionStart {
        // Who wasn't there before is in no room yet; of those that come the log tells, from there on.
        if let admission = caller.admission { return try start(at: point, handshake, head: admission) }
        let view = services.views.rooms
        try await services.wait(for: view.view)
        let now = try view.rooms(of: caller.id)
        var start = try start(at: point, handshake, head: now.asOf)
        start.currentRooms = Set(now.value)
        if start.offset == now.asOf {
            start.rooms = start.currentRooms
        } else {
            start.rooms = Set(try view.rooms(of: caller.id, at: start.offset).value)
        }
        return start
    }

    // MARK: Who

    private func caller(
        _ handshake: Handshake,
        _ head: HTTPRequestHead,
        claimed: String?,
        on loop: any EventLoop
    ) async throws -> Caller {
        let token = Self.bearer(head) ?? handshake.target.query("token") ?? handshake.bearerToken
        if let token {
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
        guard let claimed = claimed ?? handshake.target.query("account") else {
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
        try options?.setOption(.socketOption(.so_sndbuf), value: .init(limits.sendBufferBytes))
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
