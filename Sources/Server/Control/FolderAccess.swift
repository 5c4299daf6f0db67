import Broker

/// How a command that changes something gets at a data folder: by itself, or by way of the server that has it.
enum FolderAccess {
    /// Nobody has it. The lock holds until it is let go.
    case alone(DataFolderLock)
    case server(ControlClient)

    /// Takes the lock, or finds the server that has it.
    ///
    /// A server that is just starting has the lock before it listens: it is waited for, as long as `patience` lasts.
    ///
    /// - Throws: ``DataFolderInUse`` if another command has it or the server doesn't answer.
    static func open(
        _ folder: DataFolder,
        command: String,
        patience: Duration = .seconds(30)
    ) async throws -> FolderAccess {
        let clock = ContinuousClock()
        let deadline = clock.now + patience
        while true {
            do {
                return .alone(try DataFolderLock(folder, command: command))
            } catch let inUse as DataFolderInUse {
                guard inUse.holder == nil || inUse.isServer else { throw inUse }
                let client = ControlClient(folder: folder)
                do {
                    _ = try await client.ask(.ping, for: ControlDone.self)
                    return .server(client)
                } catch is ControlClient.NotReachable {
                    guard clock.now < deadline else { throw inUse }
                }
            }
            try await clock.sleep(for: .milliseconds(50))
        }
    }
}
