package import Broker
internal import LMDB

/// A time that an account was in a room.
package struct RoomSpan: Equatable, Sendable {
    package var room: RoomID
    /// The offset of joining.
    package var joined: Offset
    /// The offset of leaving; 0 while it is in.
    package var left: Offset

    package init(room: RoomID, joined: Offset, left: Offset) {
        self.room = room
        self.joined = joined
        self.left = left
    }

    /// Whether it had not ended with the event at `offset`.
    package func goesOn(after offset: Offset) -> Bool { left == 0 || left > offset }

    /// Reads a row of the table `spans`.
    init(key: Span<UInt8>, value: Span<UInt8>) throws {
        guard key.count == 2 * Identifier.byteCount + 8, value.count == 8 else {
            throw LMDBError.malformed("a row of spans")
        }
        room = Identifier(key, at: Identifier.byteCount)
        joined = key.bigEndian(at: 2 * Identifier.byteCount)
        left = value.littleEndian(at: 0)
    }
}
