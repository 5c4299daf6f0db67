internal import LMDB

extension EventLog {
    /// Opens the log in `directory` as soon as this process has it open no more: a thread that has said that it is done
    /// may hold it for a moment.
    ///
    /// - Throws: As ``init(directory:mapBytes:isReadOnly:)``; after half a minute also that it is open still.
    package static func opening(directory: String, isReadOnly: Bool = false) async throws -> EventLog {
        let deadline = ContinuousClock.now + .seconds(30)
        while true {
            do {
                return try EventLog(directory: directory, isReadOnly: isReadOnly)
            } catch let error as LMDBError where error.isOpenAlready && ContinuousClock.now < deadline {
                try await Task.sleep(for: .milliseconds(1))
            }
        }
    }
}
