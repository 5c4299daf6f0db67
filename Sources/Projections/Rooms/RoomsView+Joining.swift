package import Broker
internal import LMDB

// Since when somebody is in a room.

extension RoomsView {
    /// The offset at which `account` joined `room`, for the last time; nil if it isn't in it.
    package func joined(_ account: AccountID, _ room: RoomID) throws -> Answer<Offset?> {
        try view.read { transaction, tables, asOf in
            Answer(try transaction.number(of: Key(room, account), in: tables[1]), asOf: asOf)
        }
    }
}
