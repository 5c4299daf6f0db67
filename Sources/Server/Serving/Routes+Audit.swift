import Broker
import Cryptography
import HTTPTypes
import Hummingbird
import NIOCore

// The log's tree over HTTP for the accounts in `audit.auditors`: checkpoints and proofs, and below `/audit` the paths
// of C2SP's tlog-tiles. Whoever isn't an auditor learns nothing, not even what is there.

extension Routes {
    func addAudit(to router: Router<FrontContext>) {
        router.get("/audit/checkpoint") { request, _ in try await showCheckpoint(request) }
        router.get("/audit/tile/**") { request, _ in try await showTile(request) }
        router.get("/audit/proof/{offset}") { request, context in try await showProof(request, context) }
        router.get("/audit/consistency") { request, _ in try await showConsistency(request) }
        router.get("/audit/events") { request, _ in try await listEvents(request) }
    }

    private func showCheckpoint(_ request: Request) async throws -> Response {
        _ = try await auditor(of: request)
        _ = try AuditParameters(request)
        let note = try readable { try prover.checkpoint() }
        return Self.response(note.encode(), .text)
    }

    private func showTile(_ request: Request) async throws -> Response {
        let auditor = try await auditor(of: request)
        _ = try AuditParameters(request)
        let coordinate: TileCoordinate
        do throws(TilePathError) {
            coordinate = try TileCoordinate(path: request.uri.path.utf8.dropFirst("/audit/".utf8.count))
        } catch {
            throw HTTPFailure(error == .outOfRange ? .notFound : .badRequest, "\(error)")
        }
        guard coordinate.leaves.upperBound <= broker.log.head else {
            throw HTTPFailure(.notFound, "the log has no such tile: it has \(broker.log.head) events")
        }
        // A commitment tells nothing; an entry says who wrote to whom, and when.
        if coordinate.content == .entries { try await record(request, by: auditor) }
        let bytes = try tree { tree in
            coordinate.content == .entries
                ? try tree.entryBundle(at: coordinate) : try tree.tile(at: coordinate)?.encode()
        }
        guard let bytes else { throw HTTPFailure(.notFound, "the log has no such tile") }
        return Self.response(bytes, .bytes, isForEver: !coordinate.isPartial)
    }

    private func showProof(_ request: Request, _ context: FrontContext) async throws -> Response {
        let auditor = try await auditor(of: request)
        let size = try AuditParameters(request, known: ["size"]).offset("size") ?? broker.log.head
        guard let text = context.parameters.get("offset"), let offset = Offset(canonicalOffset: text) else {
            throw HTTPFailure(.badRequest, "a proof is of an offset: a whole number from 1")
        }
        guard offset <= size, size <= broker.log.head else {
            throw HTTPFailure(
                .notFound,
                "event \(offset) is not in a tree of \(size) events of this log, which has \(broker.log.head)"
            )
        }
        try await record(request, by: auditor)
        let proof = try readable { try prover.proof(of: offset, size: size) }
        return Self.response(proof.encode(), .text)
    }

    private func showConsistency(_ request: Request) async throws -> Response {
        _ = try await auditor(of: request)
        let parameters = try AuditParameters(request, known: ["from", "to"])
        guard let from = try parameters.offset("from") else {
            throw HTTPFailure(.badRequest, "the parameter 'from' is needed: how many events the older tree has")
        }
        let to = try parameters.offset("to") ?? broker.log.head
        let file = try tree { tree in
            guard from <= tree.size else { throw TreeError.sizeBeyondHead(size: from, head: tree.size) }
            return try prover.consistency(from: from, to: to, in: tree)
        }
        return Self.response(file.encode(), .text)
    }

    // MARK: Who

    /// The auditor that a request is made for.
    ///
    /// - Throws: ``HTTPFailure``: 401, or 403 for everybody else.
    func auditor(of request: Request) async throws -> Caller {
        let auditors = services.settings.audit.auditors
        let refusal = HTTPFailure(.forbidden, "only auditors may: the accounts in audit.auditors")
        if services.settings.auth.mode == .open,
            !(request.headers[.authorization] ?? "").lowercased().hasPrefix("bearer "),
            let claimed = request.uri.queryParameters["account"]
        {
            // Before a name that is new becomes a guest's.
            guard let name = try? AccountName(String(claimed)), auditors.contains(name) else { throw refusal }
        }
        let caller = try await caller(of: request)
        guard auditors.contains(caller.name) else { throw refusal }
        return caller
    }

    /// Says in the log that the auditor is shown something; returns when that is on disk.
    ///
    /// To be done before anything of it is read: what can't be recorded isn't shown.
    ///
    /// - Throws: ``HTTPFailure``.
    func record(_ request: Request, by auditor: Caller) async throws {
        let query = request.uri.query.map { "?\($0)" } ?? ""
        switch await broker.execute(.recordAuditorRead(auditor.id, request: request.uri.path + query)) {
        case .stored: return
        case .refused(.noSuchAccount): throw HTTPFailure(.unauthorized, "the account doesn't exist any more")
        default:
            throw HTTPFailure(
                .serviceUnavailable,
                "not shown: an auditor's read is recorded first, and the log can't take it now; try again"
            )
        }
    }

    // MARK: The log

    /// Asks the tree, on one snapshot.
    private func tree<Result>(_ body: (borrowing TreeSnapshot) throws -> Result) throws -> Result {
        try readable { try broker.log.withTree(body) }
    }

    private func readable<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch {
            throw Self.failure(reading: error)
        }
    }

    /// What an auditor is told: 404 for what the log doesn't have, 400 for what no log has, and 500 with all that is
    /// known of damage, for that is what an audit is there to find.
    static func failure(reading error: any Error) -> any Error {
        switch error {
        case TreeError.sizeBeyondHead: HTTPFailure(.notFound, "\(error)")
        case is TreeError, is EventLog.Damaged, is CommandFailure: HTTPFailure(.internalServerError, "\(error)")
        case is ProofError: HTTPFailure(.badRequest, "\(error)")
        default: error
        }
    }

    private enum ContentType: String {
        case text = "text/plain; charset=utf-8"
        case bytes = "application/octet-stream"
    }

    /// - Parameter isForEver: Whether the same path has the same answer from now on. Everybody else asks anew, so that
    ///   a proxy neither shows an old checkpoint nor keeps what people wrote.
    private static func response(_ bytes: [UInt8], _ type: ContentType, isForEver: Bool = false) -> Response {
        Response(
            status: .ok,
            headers: [
                .contentType: type.rawValue,
                .cacheControl: isForEver ? "private, max-age=31536000, immutable" : "no-store",
            ],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes))
        )
    }
}

extension Offset {
    /// The value of decimal digits, from 1 on and below 2^53, with no zero before them.
    fileprivate init?(canonicalOffset text: some StringProtocol) {
        guard let offset = try? OffsetOrTime.parseOffset(String(text)), offset > 0, text.first != "0" else {
            return nil
        }
        self = offset
    }
}
