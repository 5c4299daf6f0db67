import Broker
import Projections

/// A data folder that nobody has, opened to change something in it without a server.
enum OpenFolder {
    /// Runs `body` with the writer and the views of `folder`, whose lock the caller has, and closes them.
    ///
    /// - Throws: What opening the log and the views throws, and what `body` does.
    static func with<Result>(
        _ folder: DataFolder,
        _ settings: Settings,
        _ body: (Broker, Views) async throws -> Result
    ) async throws -> Result {
        let log = try EventLog(directory: folder.log, mapBytes: settings.log.mapBytes)
        let bar = ProgressBar(label: "the log's Merkle tree", unit: "events")
        try log.upgradeTree { bar.update(done: $0, total: $1) }
        bar.finish()
        let views = try Views(folder: ViewFolder(data: folder.path, mapBytes: settings.views.mapBytes), log: log)
        let broker = Broker(log: log)
        try broker.start(
            state: views,
            projected: views.all.map(\.projected).min() ?? 0,
            subscribers: views.subscribers
        )
        try views.start()
        defer {
            broker.stop()
            views.stop()
        }
        let result = try await body(broker, views)
        // Else the next start would have to catch up. It is in the log either way.
        for view in views.all { try? await view.waitUntilProjected(log.head, deadline: .now + .seconds(5)) }
        return result
    }
}
