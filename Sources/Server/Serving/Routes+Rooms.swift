import Broker
import Foundation
import HTTPTypes
import Hummingbird
import Projections

// Rooms over HTTP.

extension Routes {
    func addRooms(to router: Router<FrontContext>) {
        router.post("/rooms") { request, _ in try await createRoom(request) }
        router.get("/rooms") { request, _ in try await listRooms(request) }
        router.get("/rooms/{id}") { request, context in try await showRoom(request, context) }
        router.put("/rooms/{id}/members/{account}") { request, context in
            try await changeMember(request, context) { .addMember($0, to: $1, by: $2) }
        }
        router.delete("/rooms/{id}/members/{account}") { request, context in
            try await changeMember(request, context) { .removeMember($0, from: $1, by: $2) }
        }
    }

    private struct NewRoom: Decodable {
        var name: String?
        var members: [String]?
    }

    private func createRoom(_ request: Request) async throws -> Response {
        let caller = try await caller(of: request)
        let body: NewRoom = try await decode(request) { HTTPFailure(.badRequest, $0) }
        guard let name = body.name, !name.isEmpty, name.utf8.count <= limits.roomNameBytes else {
            throw HTTPFailure(.badRequest, "the field 'name' needs 1 to \(limits.roomNameBytes) bytes of UTF-8")
        }
        let texts = body.members ?? []
        guard texts.count < limits.roomMembers || Set(texts.map { Array($0.utf8) }).count < limits.roomMembers else {
            throw Self.failure(.tooManyMembers)
        }
        var names = [caller.name]
        var seen: Set = [caller.name]
        for text in texts {
            let member = try valid(text)
            if seen.insert(member).inserted { names.append(member) }
        }
        let ids = try await accounts(named: names.dropFirst())
        let room = RoomID.randomUUID()
        let outcome = await broker.execute(.createRoom(room, creator: caller.id, name: name, members: ids))
        guard case .stored = outcome else { throw Self.failure(outcome) }
        let data: JSONValue = .object([
            "id": .string(room.uuidText), "name": .string(name), "members": .array(names.map { .string($0.text) }),
        ])
        return JSONValue.object(["data": data]).response(.created)
    }

    /// The accounts of those names, in that order: new guests are let in together, not with a commit for each.
    private func accounts(named names: ArraySlice<AccountName>) async throws -> [AccountID] {
        try await withThrowingTaskGroup(of: (Int, AccountID).self) { group in
            var ids: [Int: AccountID] = [:]
            for (index, name) in zip(names.indices, names) {
                if index - names.startIndex >= Self.guestsAtOnce, let (known, id) = try await group.next() {
                    ids[known] = id
                }
                group.addTask { (index, try await account(named: name)) }
            }
            for try await (index, id) in group { ids[index] = id }
            return names.indices.compactMap { ids[$0] }
        }
    }

    private static let guestsAtOnce = 256

    private func listRooms(_ request: Request) async throws -> Response {
        let caller = try await caller(of: request)
        try await services.wait(for: services.views.rooms.view)
        try await services.wait(for: services.views.unread.view)
        let unread = try services.views.unread.counts(of: caller.id)
        let counts = Dictionary(unread.rooms.map { ($0.id, $0.count) }) { first, _ in first }
        let view = services.views.rooms
        let rooms = try view.rooms(of: caller.id).value.compactMap { id in
            // Nil only if the room went away between the two reads, which no room does yet.
            try view.room(id).value
        }.map { room in
            JSONValue.object([
                "id": .string(room.id.uuidText), "name": .string(room.name), "members": .integer(room.memberCount),
                "online": .integer(services.presence.onlineCount(in: room.id)),
                "unread": .integer(Int(counts[room.id] ?? 0)),
            ])
        }
        return JSONValue.object(["data": .array(rooms)]).response()
    }

    private func showRoom(_ request: Request, _ context: FrontContext) async throws -> Response {
        let caller = try await caller(of: request)
        try await services.wait(for: services.views.rooms.view)
        let view = services.views.rooms
        guard let id = roomID(context), let room = try view.room(id).value, try view.isMember(caller.id, of: id).value
        else {
            throw Self.failure(.noSuchRoom)
        }
        let limit = try pageLimit(request)
        var after: AccountID?
        if let text = request.uri.queryParameters["after"] {
            guard let found = try member(named: String(text)), try view.isMember(found, of: id).value else {
                throw HTTPFailure(.notFound, "no such member: \(text)")
            }
            after = found
        }
        try await services.wait(for: services.views.users.view)
        guard var members = try view.members(of: id, after: after, limit: limit + 1).value else {
            throw HTTPFailure(.notFound, "no such member")
        }
        let hasMore = members.count > limit
        members = Array(members.prefix(limit))
        let directory = services.directory
        let names = try members.compactMap { id in
            if directory.isErased(id) { return AccountDirectory.label(ofErased: id) }
            return try services.views.users.name(of: id)?.text
        }
        let data: JSONValue = .object([
            "id": .string(id.uuidText), "name": .string(room.name), "members": .array(names.map { .string($0) }),
            "online": .integer(services.presence.onlineCount(in: id)), "more": .bool(hasMore),
        ])
        return JSONValue.object(["data": data]).response()
    }

    private func pageLimit(_ request: Request) throws -> Int {
        guard let text = request.uri.queryParameters["limit"] else { return limits.pageRows }
        guard let limit = Int(text), (1...limits.pageRows).contains(limit) else {
            throw HTTPFailure(.badRequest, "the parameter 'limit' must be 1 to \(limits.pageRows)")
        }
        return limit
    }

    private func changeMember(
        _ request: Request,
        _ context: FrontContext,
        _ command: (AccountID, RoomID, AccountID) -> Command
    ) async throws -> Response {
        let caller = try await caller(of: request)
        guard let room = roomID(context) else { throw Self.failure(.noSuchRoom) }
        guard let text = context.parameters.get("account"), let decoded = text.removingPercentEncoding else {
            throw HTTPFailure(.notFound, "no such account")
        }
        // Only a member may learn, or make, anything here.
        try await services.wait(for: services.views.rooms.view)
        guard try services.views.rooms.isMember(caller.id, of: room).value else { throw Self.failure(.noSuchRoom) }
        let isRemoval = request.method == .delete
        guard let known = try member(named: decoded) else {
            guard !isRemoval else { throw HTTPFailure(.notFound, "no such member: \(decoded)") }
            let new = try await account(named: try valid(decoded))
            return try await finish(broker.execute(command(new, room, caller.id)), isRemoval, decoded)
        }
        return try await finish(broker.execute(command(known, room, caller.id)), isRemoval, decoded)
    }

    /// The account of that name; one that was erased, by what it is shown as, for it stays a member.
    private func member(named text: String) throws -> AccountID? {
        if let erased = services.directory.erasedAccount(labelled: text) { return erased }
        return try broker.log.accountID(named: try valid(text))
    }

    private func finish(_ outcome: Outcome, _ isRemoval: Bool, _ name: String) throws -> Response {
        switch outcome {
        case .stored: return Response(status: .noContent)
        case .unchanged where !isRemoval: return Response(status: .noContent)
        case .unchanged: throw HTTPFailure(.notFound, "no such member: \(name)")
        default: throw Self.failure(outcome)
        }
    }

    private func roomID(_ context: FrontContext) -> RoomID? { context.parameters.get("id").flatMap { RoomID($0) } }

    private static func failure(_ outcome: Outcome) -> HTTPFailure {
        if case .refused(let refusal) = outcome { return failure(refusal) }
        return failure(.unavailable)
    }

    private static func failure(_ refusal: Refusal) -> HTTPFailure {
        switch refusal {
        case .noSuchRoom, .notMember: HTTPFailure(.notFound, "no such room")
        case .notAllowed: HTTPFailure(.forbidden, "only the room's owner removes others")
        case .noSuchAccount: HTTPFailure(.notFound, "no such account")
        case .noSuchEvent: HTTPFailure(.notFound, "no such event")
        case .notErasable: HTTPFailure(.conflict, "there is nothing to erase in this event")
        case .tooManyMembers: HTTPFailure(.conflict, "the room would have too many members")
        case .tooManyRooms: HTTPFailure(.conflict, "someone would be in too many rooms")
        default: HTTPFailure(.serviceUnavailable, Session.notStoredText)
        }
    }
}
