import Broker

extension CommandFailure {
    /// What to tell of `error` in an audit.
    ///
    /// 1 says that something was refuted: the log isn't what was signed, or a file isn't what it claims. Whatever else
    /// keeps it from an answer is 2.
    init(auditing error: any Error) {
        self.init(error)
        status = Self.isRefutation(error) ? .failure : .usage
    }

    private static func isRefutation(_ error: any Error) -> Bool {
        switch error {
        case is Discontinuity, is EventLog.Damaged: true
        case let error as AuditFileError: error.isRefutation
        case TreeError.incomplete, TreeError.sizeBeyondHead: false
        case is TreeError: true
        default: false
        }
    }
}
