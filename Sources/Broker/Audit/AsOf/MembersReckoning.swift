/// Who was in a room, and whose it was, reckoned from the log alone.
///
/// It is given every event from the first on, in order; to learn who was in it as of an offset, one stops there. Its
/// memory is bounded by the members.
package struct MembersReckoning: Sendable {
    /// Somebody who is in the room.
    package struct Member: Equatable, Sendable {
        package var account: AccountID
        /// The offset of joining, for the last time.
        package var joined: Offset

        package init(account: AccountID, joined: Offset) {
            self.account = account
            self.joined = joined
        }
    }

    private let room: RoomID
    private var joined: [AccountID: Offset] = [:]
    /// Whose room it is, in it or not; nil before it was made.
    package private(set) var owner: AccountID?

    package init(room: RoomID) { self.room = room }

    /// Takes in the event at `offset`.
    package mutating func apply(_ header: EventHeader, at offset: Offset) {
        guard header.stream == room else { return }
        switch header.type {
        case .roomCreated:
            if owner == nil { owner = header.actor }
        case .memberAdded:
            // Whoever is in it already doesn't join anew.
            if owner != nil, joined[header.subject] == nil { joined[header.subject] = offset }
        case .memberRemoved: joined[header.subject] = nil
        case .ownerChanged:
            if owner != nil { owner = header.subject }
        default: break
        }
    }

    /// The members, in the order of joining.
    package var members: [Member] {
        joined.map { Member(account: $0.key, joined: $0.value) }.sorted { $0.joined < $1.joined }
    }
}
