import Broker
import Projections

/// The names of accounts and rooms by id, learned from the log itself as it is read.
///
/// An event speaks of an account only after the one that made it, so whoever reads from the beginning knows all names.
/// Who begins later asks the views for the rest, or, where they can't say, reads what comes before for the names alone.
struct AuditNames: Sendable {
    private var accounts: [AccountID: String] = [:]
    private var rooms: [RoomID: String] = [:]
    private var views: (users: UsersView, rooms: RoomsView)?

    /// Knows nothing yet; ``prepare(for:of:in:)`` changes that.
    init() {}

    /// Knows what the views know, which must have come as far as the events that are read.
    init(users: UsersView, rooms: RoomsView) { views = (users, rooms) }

    /// Gets ready for events from `first` on.
    mutating func prepare(for first: Offset, of log: EventLog, in folder: DataFolder) throws {
        guard first > 1 else { return }
        views = Self.views(in: folder, of: log, knowing: first - 1)
        guard views == nil else { return }
        try log.forEach(in: 1...first - 1) { record in
            try learn(record)
            return true
        }
    }

    /// The two views that know names, if they are there, are this log's, and have come as far as `offset`.
    private static func views(
        in folder: DataFolder,
        of log: EventLog,
        knowing offset: Offset
    ) -> (users: UsersView, rooms: RoomsView)? {
        let views = ViewFolder(data: folder.path)
        func view(_ projection: any Projection.Type) throws -> View? {
            let store = try ViewStore(projection, readOnlyDirectory: views.directory(of: projection))
            let checkpoint = try store.checkpoint()
            return checkpoint.log == log.identity && checkpoint.offset >= offset ? try View(store) : nil
        }
        // Whatever is wrong with a view, the log has the names as well.
        guard let users = try? view(UsersProjection.self), let rooms = try? view(RoomsProjection.self) else {
            return nil
        }
        return (UsersView(users), RoomsView(rooms))
    }

    /// Takes in the event if it names something.
    mutating func learn(_ record: borrowing Record) throws {
        switch record.header.type {
        case .userRegistered, .guestSeen, .roomCreated: learn(record.header, try record.readPayload())
        default: return
        }
    }

    /// Takes in an event whose payload is known already.
    mutating func learn(_ header: EventHeader, _ payload: EventPayload) {
        switch payload {
        case .userRegistered(let user): accounts[header.actor] = user.account.text
        case .guestSeen(let name): accounts[header.actor] = name.text
        case .roomCreated(let name): rooms[header.stream] = name
        default: return
        }
    }

    /// Nil if the event that named it was redacted.
    mutating func account(_ id: AccountID) -> String? {
        if let known = accounts[id] { return known }
        guard let found = (try? views?.users.name(of: id))?.text else { return nil }
        accounts[id] = found
        return found
    }

    /// Nil if the event that named it was redacted.
    mutating func room(_ id: RoomID) -> String? {
        if let known = rooms[id] { return known }
        guard let found = (try? views?.rooms.room(id))?.value?.name else { return nil }
        rooms[id] = found
        return found
    }
}
