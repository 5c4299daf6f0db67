import Broker

extension AuditQuery {
    /// The account of that name, or else of that id, which is all that is left of one that was erased.
    ///
    /// Whether there is, or was, an account with that id, is for the caller to find in the log.
    ///
    /// - Throws: ``CommandFailure`` with the status `usage` if it is neither.
    static func account(nameOrID text: String, in log: EventLog) throws -> AccountID {
        do {
            return try account(text, in: log)
        } catch {
            guard let id = AccountID(text) else { throw error }
            return id
        }
    }
}
