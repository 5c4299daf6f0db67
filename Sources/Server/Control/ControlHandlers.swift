/// What the running server does for the commands.
///
/// Each runs in a task of its own, which is cancelled when the command has gone away.
/// What they throw becomes the command's error: a ``CommandFailure`` with its exit code, anything else with 1.
struct ControlHandlers: Sendable {
    typealias Progress = @Sendable (ReplayProgress) -> Void

    var status: @Sendable () async throws -> ControlStatus
    var userAdd: @Sendable (ControlRequest.NewUser) async throws -> AddedUser
    /// Rebuilds the named views (all if none is named) beside the live ones, and switches.
    ///
    /// May report as often as it likes, from any thread: what the command can't take in time is left out.
    var replay: @Sendable (_ views: [String], @escaping Progress) async throws -> [ReplayedView]
    /// Erases payloads, then the bytes in the files; reports as `replay` does.
    var erase: @Sendable (ErasureRequest, @escaping Progress) async throws -> ErasureReport
}
