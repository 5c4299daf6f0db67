/// What the writer enforces.
package struct DecisionLimits: Sendable {
    /// The most messages in a row without an answer in a direct conversation; 0: any number.
    package var unanswered: Int
    /// The most members of a room.
    package var roomMembers: Int
    /// The most rooms of an account.
    package var userRooms: Int

    package init(unanswered: Int = 0, roomMembers: Int = 100_000, userRooms: Int = 10_000) {
        self.unanswered = unanswered
        self.roomMembers = roomMembers
        self.userRooms = userRooms
    }
}
