package import Broker
internal import Synchronization

/// The views of a data folder, each with its worker: what the composition root joins to the log.
///
/// ```swift
/// let views = try Views(folder: ViewFolder(data: "data"), log: log)
/// try views.start()
/// let writer = LogWriter(log, state: views, subscribers: views.subscribers)
/// ```
package final class Views: Sendable {
    package let users: UsersView
    package let rooms: RoomsView
    package let conversations: ConversationsView
    package let unread: UnreadView

    /// What became of each view at opening.
    package let openings: [(name: String, opening: ViewFolder.Opening)]

    package let log: EventLog
    let folder: ViewFolder
    let workers: [ProjectionWorker]
    /// The views that are being rebuilt.
    let rebuilding = Mutex<Set<String>>([])

    /// The projections, those that take longest to rebuild first.
    package static let projections: [any Projection.Type] = [
        ConversationsProjection.self, UnreadProjection.self, UsersProjection.self, RoomsProjection.self,
    ]

    /// Those of them that hold something of payloads.
    package static let projectionsWithTexts: [any Projection.Type] = [
        ConversationsProjection.self, UsersProjection.self, RoomsProjection.self,
    ]

    /// The projection of that name.
    package static func projection(named name: String) -> (any Projection.Type)? {
        projections.first { $0.name == name }
    }

    /// Opens all views, or makes them anew where they can't be trusted.
    ///
    /// Nothing runs yet.
    package init(folder: ViewFolder, log: EventLog, options: ProjectionWorker.Options = .init()) throws {
        self.log = log
        self.folder = folder
        var openings: [(name: String, opening: ViewFolder.Opening)] = []
        func open(_ projection: any Projection.Type) throws -> View {
            let (store, opening) = try folder.open(projection, log: log)
            openings.append((projection.name, opening))
            return try View(store)
        }
        users = UsersView(try open(UsersProjection.self))
        rooms = RoomsView(try open(RoomsProjection.self))
        conversations = ConversationsView(try open(ConversationsProjection.self))
        unread = UnreadView(try open(UnreadProjection.self))
        self.openings = openings
        workers = [users.view, rooms.view, conversations.view, unread.view].map {
            ProjectionWorker($0, log: log, folder: folder, options: options)
        }
    }

    /// Starts the workers, which go on from the checkpoints.
    package func start() throws {
        for worker in workers { try worker.start() }
    }

    /// Ends the workers, flushes the views and marks them clean.
    ///
    /// Returns when they are closed; blocks.
    package func stop() {
        for worker in workers { worker.stop() }
    }

    /// Who must hear of each commit.
    package var subscribers: [any CommitSubscriber] { workers }

    /// All views.
    package var all: [View] { workers.map(\.view) }

    /// How far each view is behind the log, in events.
    package var lags: [(name: String, events: UInt64)] {
        let head = log.head
        return all.map { view in
            let projected = view.projected
            return (view.name, head > projected ? head - projected : 0)
        }
    }

    /// The views that have stopped, and why.
    package var failures: [(name: String, error: any Error)] {
        all.compactMap { view in view.failure.map { (view.name, $0) } }
    }

    /// The views that can't go on for want of room.
    package var stalled: [String] { all.filter(\.isStalled).map(\.name) }
}
