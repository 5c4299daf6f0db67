import Broker

/// Finds the room that somebody named, by its id or by its name, among the events that make rooms.
struct RoomSearch: Sendable {
    private let text: String
    private let id: RoomID?
    /// The room with that id, or those with that name.
    private(set) var found: [RoomID] = []
    /// Whether no event that comes can change what was found.
    private(set) var isDone = false

    init(_ text: String) {
        self.text = text
        id = RoomID(text)
    }

    /// Takes in the event, if it makes a room.
    mutating func look(at record: borrowing Record) throws {
        guard !isDone, record.header.type == .roomCreated else { return }
        let room = record.header.stream
        if room == id {
            found = [room]
            isDone = true
            return
        }
        // By its bytes: strings are equal that look alike.
        guard case .roomCreated(let name) = try record.readPayload(), Array(name.utf8) == Array(text.utf8) else {
            return
        }
        found.append(room)
    }

    /// The one of `rooms`, of which there is at least one.
    ///
    /// - Throws: ``CommandFailure`` with the status `usage` if there are several.
    func only(of rooms: [RoomID]) throws -> RoomID {
        guard rooms.count > 1 else { return rooms[0] }
        let ids = rooms.prefix(10).map(\.uuidText).joined(separator: ", ")
        throw CommandFailure(
            "\(rooms.count) rooms have the name \(text.shownAsJSON): give the id of one, \(ids)",
            status: .usage
        )
    }
}
