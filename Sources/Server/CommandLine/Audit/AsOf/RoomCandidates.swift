import Broker

/// The rooms that somebody may mean who named one, and what each of them comes to.
///
/// A room is found by the event that makes it, which is its first: so one reading of the log finds it and follows it.
struct RoomCandidates<Reckoning: Sendable>: Sendable {
    private var search: RoomSearch
    private let text: String
    private var reckonings: [RoomID: Reckoning] = [:]
    private let begin: @Sendable (RoomID) -> Reckoning
    private let apply: @Sendable (inout Reckoning, EventHeader, Offset) -> Void

    /// - Parameters:
    ///   - text: The room's id or name.
    ///   - begin: What a room comes to before its first event.
    ///   - apply: Takes an event of the room in.
    init(
        _ text: String,
        begin: @escaping @Sendable (RoomID) -> Reckoning,
        apply: @escaping @Sendable (inout Reckoning, EventHeader, Offset) -> Void
    ) {
        self.text = text
        search = RoomSearch(text)
        self.begin = begin
        self.apply = apply
    }

    /// Takes the event in, if it is of such a room.
    mutating func look(at record: borrowing Record) throws {
        let room = record.header.stream
        if record.header.type == .roomCreated, reckonings[room] == nil {
            try search.look(at: record)
            if search.found.last == room { reckonings[room] = begin(room) }
            // Whose id it is is meant, and not one that has it for a name.
            if search.isDone, reckonings.count > 1 { reckonings = reckonings.filter { $0.key == room } }
        }
        guard let place = reckonings.index(forKey: room) else { return }
        apply(&reckonings.values[place], record.header, record.offset)
    }

    /// The one room of those for which `isMeant` holds.
    ///
    /// - Parameters:
    ///   - end: The last event that was looked at.
    ///   - otherwise: What to say if it holds for none.
    /// - Throws: ``CommandFailure`` with the status `usage` if there is none, or several.
    func only(
        asOf end: Offset,
        where isMeant: (Reckoning) -> Bool = { _ in true },
        otherwise: String = ""
    ) throws -> (RoomID, Reckoning) {
        guard !search.found.isEmpty else {
            throw CommandFailure("there is no room \(text.shownAsJSON) up to offset \(end)", status: .usage)
        }
        let meant = search.found.filter { reckonings[$0].map(isMeant) ?? false }
        guard !meant.isEmpty else { throw CommandFailure(otherwise, status: .usage) }
        let room = try search.only(of: meant)
        return (room, reckonings[room] ?? begin(room))
    }
}
