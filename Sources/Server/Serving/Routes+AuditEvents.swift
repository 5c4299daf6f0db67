import Broker
import HTTPTypes
import Hummingbird
import NIOCore
import Projections

// The events of the log as JSON, for auditors.

extension Routes {
    private static let eventParameters = [
        "after", "upto", "limit", "user", "peer", "room", "type", "since", "until",
    ]

    func listEvents(_ request: Request) async throws -> Response {
        let auditor = try await auditor(of: request)
        // Before the event that this very request becomes: who reads up to here comes to an end.
        let head = broker.log.head
        let page = try await page(request, head: head)
        // Names come from these two, which must know all that is shown.
        try await services.wait(for: services.views.users.view)
        try await services.wait(for: services.views.rooms.view)
        try await record(request, by: auditor)
        let names = AuditNames(users: services.views.users, rooms: services.views.rooms)
        let content = await page.read(from: broker.log, names: names)
        // Told rather than a page without it, from which it would be missing as if it had never been.
        if let error = content.error { throw Self.failure(reading: error) }
        return Response(
            status: .ok,
            headers: [.contentType: HTTPFailure.contentType, .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: page.json(content)))
        )
    }

    private func page(_ request: Request, head: Offset) async throws -> AuditPage {
        let parameters = try AuditParameters(request, known: Self.eventParameters, repeatable: ["type"])
        let limits = services.settings.audit
        let end = try parameters.offset("upto") ?? head
        guard end <= head else { throw HTTPFailure(.notFound, "there is no event \(end): the log has \(head)") }
        var query = AuditQuery(
            types: try parameters.types("type"),
            after: try parameters.offset("after") ?? 0,
            since: try parameters.time("since"),
            until: try parameters.time("until"),
            limit: try parameters.count("limit", most: limits.pageEvents)
        )
        let (user, peer) = (parameters.text("user"), parameters.text("peer"))
        guard peer == nil || user != nil else {
            throw HTTPFailure(.badRequest, "'peer' needs 'user': a conversation has two sides")
        }
        do {
            try query.resolve(user: user, peer: peer, room: nil, in: broker.log)
        } catch let failure as CommandFailure {
            throw HTTPFailure(.notFound, failure.message)
        }
        if let room = parameters.text("room") {
            guard peer == nil else { throw HTTPFailure(.badRequest, "'peer' and 'room' exclude each other") }
            // Names would have to be looked for in the whole log.
            guard let id = RoomID(room) else { throw HTTPFailure(.badRequest, "'room' must be a room's id") }
            try await services.wait(for: services.views.rooms.view)
            guard try services.views.rooms.room(id).value != nil else { throw HTTPFailure(.notFound, "no such room") }
            query.stream = id
        }
        return AuditPage(query: query, end: end, payloadBytes: limits.pageBytes, scanEvents: limits.scanEvents)
    }
}
