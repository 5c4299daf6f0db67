import Broker

// The rooms that a socket is in as far as routing and presence go: those of now, wherever its cursor stands.

extension Session {
    /// A member of a room came or went: the user of this socket.
    func follow(_ header: EventHeader) {
        if !cursor.isLagging { _ = cursor.applyMembership(header) }
        if header.type == .memberAdded { subscribe(header.stream) } else { unsubscribe(header.stream) }
    }

    /// The cursor is at the head: its rooms are those of now.
    func reconcileRooms() {
        guard mayDiffer else { return }
        mayDiffer = false
        for room in subscribed.subtracting(cursor.rooms) { unsubscribe(room) }
        for room in cursor.rooms.subtracting(subscribed) { subscribe(room) }
    }

    private func subscribe(_ room: RoomID) {
        if subscribed.insert(room).inserted { dispatcher.subscribe(self, to: room) }
    }

    private func unsubscribe(_ room: RoomID) {
        guard subscribed.remove(room) != nil else { return }
        dispatcher.unsubscribe(self, from: room)
        dispatcher.watches.remove(self, room)
    }
}
