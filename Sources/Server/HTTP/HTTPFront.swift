import Broker
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore

/// What stands around all routes: every error is JSON, every reply obeys the ``OriginPolicy``, OPTIONS is answered on
/// any path, a known path with another method is a 405.
///
/// ```swift
/// let front = HTTPFront.make(origins: origins) { router in
///     router.get("/ping") { _, _ in … }
/// }
/// let channel = FrontChannel(responder: front.responder(logger: logger), …)
/// ```
struct HTTPFront: HTTPResponder {
    typealias Context = FrontContext

    private let routes: RouterResponder<FrontContext>
    private let methods: MethodTable
    private let origins: OriginPolicy

    /// Builds the responder of an application.
    ///
    /// - Parameters:
    ///   - origins: Which web pages may call.
    ///   - addRoutes: Adds the routes.
    static func make(origins: OriginPolicy, addRoutes: (Router<FrontContext>) -> Void) -> HTTPFront {
        let router = Router(context: FrontContext.self, options: .autoGenerateHeadEndpoints)
        // Innermost of what could be added, so that no error of a route reaches Hummingbird's own rendering of errors.
        router.add(middleware: ErrorMiddleware())
        addRoutes(router)
        let routes = router.buildResponder()
        return HTTPFront(
            routes: routes,
            methods: MethodTable(router.routes.map { ($0.path.description, $0.method) }),
            origins: origins
        )
    }

    func respond(to request: Request, context: FrontContext) async throws -> Response {
        let origin = request.headers[.origin]
        var response = await reply(to: request, origin: origin, context: context)
        for header in origins.headers(for: origin) {
            guard let name = HTTPField.Name(header.name) else { continue }
            response.headers[name] = header.value
        }
        return response
    }

    /// Answers the requests of a connection, each with a logger of its own.
    func responder(logger: Logger) -> HTTPChannelHandler.Responder {
        { request, writer, channel in
            var logger = logger
            logger[metadataKey: "hb.request.id"] = .stringConvertible(RequestID())
            let context = FrontContext(source: ApplicationRequestContextSource(channel: channel, logger: logger))
            var response = try await respond(to: request, context: context)
            response.headers[.date] = HTTPDate.text(milliseconds: Broker.now())
            response.headers[.server] = "quipu"
            try await writer.write(response: response.head, body: response.body)
        }
    }

    private func reply(to request: Request, origin: String?, context: FrontContext) async -> Response {
        if request.method == .options { return Self.preflight }
        guard origins.allows(origin) || !origins.refusesOthers else {
            return HTTPFailure(.forbidden, "origin not allowed").response
        }
        do {
            let response = try await routes.respond(to: request, context: context)
            guard response.status == .notFound, context.isUnrouted else { return response }
            let methods = methods.methods(of: request.uri.path)
            guard !methods.isEmpty else { return response }
            return HTTPFailure(.methodNotAllowed, "method not allowed", allowedMethods: methods).response
        } catch {
            context.logger.error("request failed", metadata: ["error": "\(error)"])
            return HTTPFailure(translating: error).response
        }
    }

    /// The answer to a browser that asks before it sends (Fetch standard, CORS-preflight), for two hours, which is the
    /// longest that any browser keeps it.
    private static let preflight = Response(
        status: .noContent,
        headers: [
            .accessControlAllowMethods: "GET, POST, PUT, DELETE, OPTIONS",
            .accessControlAllowHeaders: "Authorization, Content-Type",
            .accessControlMaxAge: "7200",
        ]
    )
}

/// Turns whatever a route throws into a JSON reply.
struct ErrorMiddleware: RouterMiddleware {
    func handle(
        _ request: Request,
        context: FrontContext,
        next: @concurrent (Request, FrontContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch {
            let failure = HTTPFailure(translating: error)
            if failure.status == .internalServerError {
                context.logger.error("request failed", metadata: ["error": "\(error)"])
            }
            return failure.response
        }
    }
}

/// What a route knows of its request besides the request itself.
struct FrontContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// The other end of the connection; ``ClientAddress`` says who that is.
    let peer: SocketAddress?

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        peer = source.channel.remoteAddress
    }

    /// Whether the router found no route, as opposed to a route that answered 404.
    var isUnrouted: Bool { endpointPath == "NotFound" }
}
