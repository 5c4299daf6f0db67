import Broker
import Hummingbird
import Logging
import NIOCore
import NIOPosix
import Projections
import ServiceLifecycle
import UnixSignals

/// The server: the one place where log, views, broker, sockets and HTTP are put together.
///
/// ```swift
/// let server = try await QuipuServer(settings: settings, folder: folder, logger: logger)
/// try await server.run { address in print("serving on \(address)") }
/// ```
struct QuipuServer: Sendable {
    let settings: Settings
    let services: SessionServices
    let tokens: TokenIssuer
    let auditKey: AuditKey
    let dispatchers: LoopDispatchers

    private let attestor: ViewAttestor?
    private let passwords: PasswordPool
    private let group: MultiThreadedEventLoopGroup
    private let failure: FailureSignal

    /// Opens everything in `folder`, whose lock the caller holds, and starts the writer and the views.
    ///
    /// A log from before it had a Merkle tree gets one here, once.
    ///
    /// - Parameter upgrading: Told how many of how many events of such a log are in its tree.
    /// - Throws: What the log, the views or the keys throw.
    init(
        settings: Settings,
        folder: DataFolder,
        logger: Logger,
        upgrading: (_ done: UInt64, _ total: UInt64) -> Void = { _, _ in }
    ) async throws {
        self.settings = settings
        let log = try EventLog(directory: folder.log, mapBytes: settings.log.mapBytes)
        try log.upgradeTree(progress: upgrading)
        auditKey = try AuditKey(folder: folder, log: log.identity)
        let views = try Views(
            folder: ViewFolder(data: folder.path, mapBytes: settings.views.mapBytes),
            log: log,
            options: .init(
                batchEvents: settings.views.batchEvents,
                lingerMilliseconds: settings.views.lingerMilliseconds
            )
        )
        for (name, opening) in views.openings { logger.info("view \(name): \(opening)") }
        let loops = settings.server.eventLoops == 0 ? System.coreCount : settings.server.eventLoops
        group = MultiThreadedEventLoopGroup(numberOfThreads: loops)
        let failure = FailureSignal()
        self.failure = failure
        let broker = Broker(log: log, options: Self.options(settings), sinks: loops, onFailure: { failure.raise($0) })
        services = SessionServices(broker: broker, views: views, settings: settings, logger: logger)
        dispatchers = try LoopDispatchers(
            loops: Array(group.makeIterator()),
            services: services,
            position: log.head
        )
        passwords = PasswordPool(
            threads: settings.auth.bcryptThreads,
            queue: settings.auth.bcryptQueue,
            cost: settings.auth.bcryptCost
        )
        let key = try settings.auth.jwtKey.map { try TokenKey($0.bytes) } ?? TokenKey(folder: folder.url)
        tokens = await TokenIssuer(key: key, hours: settings.auth.tokenHours)
        let trigger =
            settings.audit.attestEveryEvents == 0
            ? nil : AttestationTrigger(everyEvents: UInt64(settings.audit.attestEveryEvents))
        attestor = trigger.map {
            ViewAttestor(
                trigger: $0,
                broker: broker,
                views: views,
                patience: .milliseconds(settings.limits.queryWaitMilliseconds),
                logger: logger
            )
        }
        // The writer looks at the views before they move on; from then on they follow the log.
        let erased = try broker.start(
            state: views,
            projected: views.all.map(\.projected).min() ?? 0,
            // Before a loop hears that an account is erased, its name is forgotten. Sockets come before the views, for
            // which nobody may be waiting.
            subscribers: [services.directory, tokens.verified, dispatchers] + views.subscribers
                + (trigger.map { [$0] } ?? [])
        )
        services.directory.erase(erased)
        try views.start()
    }

    /// Serves until the process is asked to stop, then drains.
    ///
    /// - Parameter started: Told the address once the server listens.
    /// - Throws: What binding the address throws; ``CommandFailure`` if the log can't be written any more.
    func run(
        stopOn signals: [UnixSignal] = [.sigterm, .sigint],
        with more: [any Service] = [],
        started: @escaping @Sendable (SocketAddress) async -> Void
    ) async throws {
        dispatchers.startTicking()
        let sockets = SocketService(dispatchers: dispatchers, drain: .seconds(Int64(settings.server.drainSeconds)))
        // In the order in which they start; they stop in the opposite one.
        var services: [any Service] = [CoreService(server: self)]
        if let attestor { services.append(attestor) }
        services += [sockets] + more + [listener(started)]
        let serviceGroup = ServiceGroup(
            configuration: .init(
                services: services.map {
                    .init(service: $0, successTerminationBehavior: .gracefullyShutdownGroup)
                },
                gracefulShutdownSignals: signals,
                logger: self.services.logger
            )
        )
        try await failure.watching { try await serviceGroup.run() }
    }

    /// Commits what waits, marks the views clean and closes everything.
    fileprivate func close() async {
        let services = services
        try? await group.any().makeFutureWithTask {}.get()
        services.broker.stop()
        services.views.stop()
        try? await passwords.shutDown()
    }

    private func listener(_ started: @escaping @Sendable (SocketAddress) async -> Void) -> FrontListener {
        let limits = settings.limits
        let origins = OriginPolicy(
            allowedOrigins: settings.server.allowedOrigins,
            needsToken: settings.auth.mode == .required
        )
        let logins = LoginGuard(
            LoginLimiter(
                perAccount: limits.failedLoginsPerMinute,
                perAddress: limits.failedLoginsPerAddressPerMinute
            )
        )
        let routes = Routes(
            services: services,
            tokens: tokens,
            passwords: passwords,
            logins: logins,
            prover: LogProver(log: services.broker.log, key: auditKey)
        )
        let upgrade = SocketUpgrade(services: services, dispatchers: dispatchers, tokens: tokens)
        let limiter = ConnectionLimiter(
            perAddress: limits.connectionsPerAddress,
            trustedProxies: settings.server.trustedProxies
        )
        let configuration = FrontChannel.Configuration(
            limits: FrontLimits(
                headBytes: limits.requestHeadBytes,
                bodyBytes: limits.httpBodyBytes,
                handshakeTime: .seconds(Int64(limits.handshakeSeconds)),
                requestTime: .seconds(Int64(limits.idleSeconds)),
                idleTime: .seconds(Int64(limits.idleSeconds))
            ),
            origins: origins,
            admits: { limiter.admit($0) },
            decide: { upgrade.decide($0, $1) }
        )
        let front = HTTPFront.make(origins: origins) { routes.add(to: $0) }
        return FrontListener(
            front: FrontChannel(
                responder: front.responder(logger: services.logger),
                configuration: configuration,
                logger: services.logger
            ),
            address: settings.server.address,
            port: settings.server.port,
            group: group,
            sendBufferBytes: limits.sendBufferBytes
        ) { channel in
            if let address = channel.localAddress { await started(address) }
        }
    }

    private static func options(_ settings: Settings) -> Broker.Options {
        Broker.Options(
            batchEvents: settings.log.batchEvents,
            batchBytes: settings.log.batchBytes,
            queueEvents: settings.log.queueEvents,
            limits: DecisionLimits(
                unanswered: settings.limits.unanswered,
                roomMembers: settings.limits.roomMembers,
                userRooms: settings.limits.userRooms
            )
        )
    }
}

/// Log, writer and views: the last to stop, when nobody can send any more.
private struct CoreService: Service {
    let server: QuipuServer

    func run() async throws {
        try? await gracefulShutdown()
        await server.close()
    }
}

/// All sockets: told good-bye after the server has stopped to accept, and before the log closes.
private struct SocketService: Service {
    let dispatchers: LoopDispatchers
    let drain: TimeAmount

    func run() async throws {
        try? await gracefulShutdown()
        await dispatchers.drain(within: drain)
    }
}
