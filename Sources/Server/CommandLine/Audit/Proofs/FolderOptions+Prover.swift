import Broker

extension FolderOptions {
    /// Opens the log, beside a running server or without one, and its key, which is made if there is none.
    func prover() async throws -> LogProver {
        let (folder, _) = try await load()
        try folder.requireLog()
        let log = try EventLog(directory: folder.log, isReadOnly: true)
        return LogProver(log: log, key: try AuditKey(folder: folder, log: log.identity))
    }

    /// Runs `body` with the log, and sorts what goes wrong into refuted and not to be told.
    ///
    /// - Throws: ``CommandFailure``.
    func proving(_ body: (LogProver) throws -> Void) async throws {
        do {
            try body(await prover())
        } catch {
            throw CommandFailure(auditing: error)
        }
    }
}
