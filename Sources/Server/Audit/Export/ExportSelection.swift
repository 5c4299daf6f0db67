import Broker

/// Which events of a log an export is of; all conditions hold at once, and none means the whole log.
struct ExportSelection: Equatable, Sendable {
    /// Who did it or to whom it was done.
    var user: AccountID?
    /// With `user`: the direct conversation of the two, and only that.
    var peer: AccountID?
    var room: RoomID?
    /// Milliseconds since 1970, inclusive.
    var since: UInt64?
    /// Milliseconds since 1970, exclusive.
    var until: UInt64?

    /// Whether nothing is left out.
    var isEverything: Bool { self == ExportSelection() }

    /// The conversation or room that all events are of.
    var stream: StreamID? {
        if let user, let peer { return .conversation(user, peer) }
        return room
    }

    /// Whether everything that happened in the stream within the time is wanted, whoever did it.
    var isWholeStream: Bool { stream != nil && (peer != nil || user == nil) }

    /// Whether everything that happened within the time is wanted.
    var isWholeTime: Bool { user == nil && stream == nil }

    /// Whether an event is wanted.
    func matches(_ header: EventHeader) -> Bool {
        if let since, header.milliseconds < since { return false }
        if let until, header.milliseconds >= until { return false }
        if let stream, header.stream != stream { return false }
        if peer == nil, let user, header.actor != user, header.subject != user { return false }
        return true
    }
}

extension EventHeader {
    /// The accounts and rooms that the event speaks of: each has an event that gave it its name.
    var parties: [Identifier] {
        var parties: [Identifier] = []
        if actor != .none { parties.append(actor) }
        if type != .viewAttested, subject != actor { parties.append(subject) }
        switch type {
        case .roomCreated, .memberAdded, .memberRemoved, .ownerChanged:
            if stream != subject { parties.append(stream) }
        default: break
        }
        return parties
    }

    /// The account or room that gets its name by this event.
    var named: Identifier? {
        switch type {
        case .userRegistered, .guestSeen: actor
        case .roomCreated: stream
        default: nil
        }
    }
}
